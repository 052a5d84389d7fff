// Package schedule is the arithmetic of schedules: when something fires, and
// what to do about the times it should have. It has no clock and starts
// nothing; the runtime asks it with the time it has.
//
// # What can be written
//
// Five fields (minute, hour, day of the month, the month, day of the week) with
// names, ranges, lists and steps; 7 is Sunday; where both day fields name days,
// either is enough. @hourly, @daily, @weekly, @monthly and @yearly stand for
// five fields. @every 15m fires whenever the seconds since the Unix epoch are a
// multiple of the duration, in every process and after every restart alike; it
// takes no notice of time zones. Everything else is refused: seconds, years, L,
// W, # and ?, dates that no year has, steps that do not fit their field, and
// what readers of cron understand differently.
//
// # When clocks change
//
// There are two kinds of schedules.
//
// The hours are fixed where the hour field is a value, a list or a range
// without * and step. Such a schedule promises every time of its pattern once
// on every date:
//
//   - a time that clocks skip fires at the next valid minute, the first one
//     after the change; all skipped times of one change, and one due at that
//     minute anyway, are one fire time;
//   - a time that clocks show twice fires when they show it first.
//
// In other words, it fires when clocks first reach or pass the time.
//
// With * or a step in the hour field a schedule follows elapsed time: it fires
// at every minute at which clocks show what its pattern says, so in the hour
// that comes twice it fires twice, and nothing is made up for the hour that is
// skipped.
//
// The cases between them follow from this:
//
//   - The minutes do not matter: "*/30 2 * * *" has a fixed hour. Where 2:00 to
//     3:00 is skipped it fires once, at 3:00; where it comes twice, at the first
//     2:00 and 2:30.
//   - "0 0-23 * * *" names its hours: it fires 23 times on a day of 23 hours, as
//     "0 * * * *" does, but 24 times on one of 25, where that fires 25 times.
//     "0 8,*/6 * * *" has a step, so it follows elapsed time.
//   - A change by half an hour (Australia/Lord_Howe) is a change like others: of
//     "15 2" and "45 2", only the first is skipped, and fires at 2:30.
//   - A change at midnight (America/Santiago, Africa/Cairo, Asia/Beirut) moves
//     "0 0 * * *" to 1:00 of the same date; put back over midnight, 23:30 comes
//     twice on the evening before, and fires the first time.
//   - A date that does not exist (Pacific/Apia, 30 December 2011) was skipped
//     like an hour: all fixed times of it are one fire time, at the first minute
//     of the next date. A monthly schedule for that day is late, not lost.
package schedule
