package local

import (
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// Active is a playbook as it is used for new runs.
type Active struct {
	Program *program.Program
	Bundle  engine.Bundle
	Source  string // its file, as an absolute path
}

// Serving is what Serve needs beside the Engine.
type Serving struct {
	// Playbooks are those whose triggers start runs, as they are now.
	Playbooks func() []Active
	// Tell hears of what somebody should know. It must return at once, and may
	// be called by several goroutines; nil hears nothing.
	Tell func(Notice)
	// Runs is how many runs are carried out at the same time; DefaultRuns when 0.
	// A run that is parked is none of them.
	Runs int
}

// NoticeKind says what a Notice is about.
type NoticeKind string

// The kinds of notices.
const (
	NoticeRun     NoticeKind = "run"     // a run ended, or needs somebody: Run is set
	NoticeMissed  NoticeKind = "missed"  // fire times that nothing was started for: Series, Missed and Text
	NoticeExpiry  NoticeKind = "expiry"  // a grant ends soon: Grant is set
	NoticeOverdue NoticeKind = "overdue" // a grant should have ended and could not be ended: Grant is set
	NoticeTrouble NoticeKind = "trouble" // something the engine could not do by itself: Text
)

// Notice is something that somebody should know.
type Notice struct {
	Kind   NoticeKind
	At     time.Time
	Run    *engine.RunRecord
	Grant  *engine.Grant
	Series string // the trigger, "sweep#0"
	Missed int    // how many fire times
	Text   string // in words, without secrets
}
