package server

import (
	"context"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// scrapeTimeout is how long the engine may take to count.
const scrapeTimeout = 5 * time.Second

// Figures is what the engine counts. Steps, Changes, Fires, Missed and the
// notices only grow while the process lives; the others are as of now.
type Figures struct {
	Runs          map[engine.RunStatus]int64
	Steps         map[engine.StepStatus]int64 // that ended
	Changes       map[engine.Outcome]int64
	GrantsLive    int64
	GrantsOverdue int64
	Fires         int64 // fire times of schedules that started a run
	Missed        int64 // fire times that nothing was done about
	Queue         int64 // runs that wait for a worker
	NoticesSent   int64 // messages to people; a digest is one
	NoticesLost   int64 // what people could not be told of
}

// figures asks the engine at each scrape.
type figures struct {
	config                                             Config
	runs, steps, changes, grants, fires, missed, queue *prometheus.Desc
	sent, lost                                         *prometheus.Desc
}

func newFigures(c Config) *figures {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("drawbridge_"+name, help, labels, nil)
	}
	return &figures{
		config:  c,
		runs:    desc("runs", "Runs by status.", "status"),
		steps:   desc("steps_total", "Steps that ended, by how.", "status"),
		changes: desc("changes_total", "Changes by outcome.", "outcome"),
		grants:  desc("grants", "Grants that are live, and those of them that should have ended.", "state"),
		fires:   desc("schedule_fires_total", "Fire times of schedules that started a run."),
		missed:  desc("schedule_missed_total", "Fire times of schedules that were missed."),
		queue:   desc("queue_length", "Runs that wait for a worker."),
		sent:    desc("notices_sent_total", "Messages to the connection under notify; a digest is one."),
		lost:    desc("notices_dropped_total", "Notices that could not be delivered to the connection under notify."),
	}
}

// Describe names the metrics.
func (f *figures) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{f.runs, f.steps, f.changes, f.grants, f.fires, f.missed, f.queue, f.sent, f.lost} {
		out <- d
	}
}

// Collect asks the engine. Where it cannot count, the scrape has the error and
// the other metrics.
func (f *figures) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	n, err := f.config.Engine.Figures(ctx)
	if err != nil {
		f.config.Log.Warn("counting for the metrics", "error", err)
		out <- prometheus.NewInvalidMetric(f.runs, err)
		return
	}
	each(out, f.runs, prometheus.GaugeValue, n.Runs)
	each(out, f.steps, prometheus.CounterValue, n.Steps)
	each(out, f.changes, prometheus.CounterValue, n.Changes)
	one := func(d *prometheus.Desc, kind prometheus.ValueType, v int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, float64(v), labels...)
	}
	one(f.grants, prometheus.GaugeValue, n.GrantsLive, "live")
	one(f.grants, prometheus.GaugeValue, n.GrantsOverdue, "overdue")
	one(f.fires, prometheus.CounterValue, n.Fires)
	one(f.missed, prometheus.CounterValue, n.Missed)
	one(f.queue, prometheus.GaugeValue, n.Queue)
	one(f.sent, prometheus.CounterValue, n.NoticesSent)
	one(f.lost, prometheus.CounterValue, n.NoticesLost)
}

func each[K ~string](out chan<- prometheus.Metric, d *prometheus.Desc, kind prometheus.ValueType, counts map[K]int64) {
	for label, n := range counts {
		out <- prometheus.MustNewConstMetric(d, kind, float64(n), string(label))
	}
}

func buildInfo(c Config) prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "drawbridge_build_info", Help: "1, with what this program was built from.",
		ConstLabels: prometheus.Labels{"version": c.Version, "commit": c.Commit, "go": runtime.Version()},
	})
	g.Set(1)
	return g
}
