package server

import "net/http"

// Health is whether the engine can do its work.
type Health struct {
	Database string // why the database cannot be written; "" where it can
	Stopping bool   // no new steps begin
	Overdue  int    // grants that should have ended and could not be ended
}

// problem is one reason not to be ready.
type problem struct {
	What   string `json:"what"` // database, stopping, grants
	Detail string `json:"detail"`
	Count  int    `json:"count,omitempty"`
}

func (h Health) problems() []problem {
	found := []problem{}
	if h.Database != "" {
		found = append(found, problem{What: "database", Detail: "the database cannot be written: " + h.Database})
	}
	if h.Stopping {
		found = append(found, problem{What: "stopping", Detail: "the engine is stopping: what is under way ends, and nothing new begins"})
	}
	if h.Overdue > 0 {
		found = append(found, problem{
			What: "grants", Count: h.Overdue,
			Detail: "grants are overdue: access that should have ended is still there; see drawbridge grants list",
		})
	}
	return found
}

// ready answers 200, or 503 with the reasons.
func (h *Handler) ready(w http.ResponseWriter, r *http.Request) {
	found := h.config.Engine.Health(r.Context()).problems()
	status := http.StatusOK
	if len(found) > 0 {
		status = http.StatusServiceUnavailable
	}
	answer(w, status, map[string]any{"ready": len(found) == 0, "problems": found})
}
