package mailbox

import (
	"time"

	"github.com/emersion/go-smtp"
)

// Kind is what goes wrong with a mail.
type Kind string

// The kinds of faults. Before the line the mail is not taken, after it the server has it.
const (
	Busy        Kind = "busy"        // 421 where a mail begins, and the connection ends
	Greylist    Kind = "greylist"    // 451 for each recipient
	Quota       Kind = "quota"       // 452 for the message
	BadLogin    Kind = "bad_login"   // 535, whatever the credentials
	Echo        Kind = "echo"        // 535 with the credentials in its text, as badly made servers answer
	NotAllowed  Kind = "not_allowed" // 550 for the sender
	Refused     Kind = "refused"     // 554 for the message
	CutData     Kind = "cut_data"    // the connection is cut in the middle of the message
	Silent      Kind = "silent"      // the message is never answered
	Garbage     Kind = "garbage"     // an answer that is not SMTP
	Unavailable Kind = "unavailable" // 454 when signing in

	Slow      Kind = "slow"       // taken after Delay
	LostReply Kind = "lost_reply" // taken, and the connection is cut before it says so
)

// Fault is something that goes wrong. The zero Fault is nothing.
type Fault struct {
	Kind  Kind
	Times int // how many mails (or sign-ins) it hits; 0 means one, -1 all
	Delay time.Duration
}

// Inject makes faults happen, each before those that were injected later.
func (s *Server) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Heal removes all faults.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// strike is what goes wrong where it is signed in, or where it is not.
func (s *Server) strike(signingIn bool) Fault {
	if s.opts.Trouble != nil && !signingIn {
		return s.opts.Trouble()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.faults {
		f := &s.faults[i]
		if f.ofSignIn() != signingIn || f.Kind == "" {
			continue
		}
		hit := *f
		switch f.Times {
		case -1:
		case 0, 1:
			f.Kind = "" // it is over
		default:
			f.Times--
		}
		return hit
	}
	return Fault{}
}

func (f Fault) ofSignIn() bool { return f.Kind == BadLogin || f.Kind == Echo || f.Kind == Unavailable }

func reply(code int, enhanced smtp.EnhancedCode, text string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
}
