package local

import "time"

// Clock tells the time and waits. Tests and simulations bring their own.
type Clock interface {
	Now() time.Time
	// Timer sends once d has passed; stop frees it earlier.
	Timer(d time.Duration) (c <-chan time.Time, stop func())
}

// Simulated is a Clock whose time does not pass by itself. It is told when a
// run can go on only with time, so that nobody has to wait for it.
type Simulated interface {
	Clock
	// Park is the Timer of a run that has nothing to do: it waits until one of
	// its calls under way answers or the time is due; zero means that it waits
	// for no time. stop says that the run goes on.
	Park(due time.Time, calls int) (c <-chan time.Time, stop func())
}

// SystemClock is the clock of the machine.
type SystemClock struct{}

// Now is the time of day.
func (SystemClock) Now() time.Time { return time.Now() }

// Timer is a timer of package time.
func (SystemClock) Timer(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}
