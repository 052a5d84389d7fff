package local

import "time"

// Clock tells the time and waits. Tests and simulations bring their own.
type Clock interface {
	Now() time.Time
	// Timer sends once d has passed; stop frees it earlier.
	Timer(d time.Duration) (c <-chan time.Time, stop func())
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
