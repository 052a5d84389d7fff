package testrun

import (
	"context"
	"regexp"
	"runtime"
	"sync"

	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/playbooktest"
)

// Options say which tests to carry out, and how.
type Options struct {
	Match    *regexp.Regexp // of "FILE: NAME"; nil for all
	Parallel int            // tests at a time; as many as there are processors for 0
}

// Report is what came of all tests, in the order of the files.
type Report struct {
	Results  []Result
	Coverage []playbooktest.Coverage
}

// Failed is how many tests failed.
func (r Report) Failed() int {
	n := 0
	for _, result := range r.Results {
		if len(result.Failures) > 0 {
			n++
		}
	}
	return n
}

// RunAll carries tests out, several at a time. Once ctx is cancelled those that
// are left fail.
func (r *Runner) RunAll(ctx context.Context, files []*File, o Options) Report {
	var report Report
	for _, f := range files {
		for _, c := range f.Suite.Cases {
			if o.Match == nil || o.Match.MatchString(f.Suite.Path+": "+c.Name) {
				report.Results = append(report.Results, Result{File: f, Case: c})
			}
		}
	}
	r.each(ctx, report.Results, o.Parallel)
	var cover playbooktest.Cover
	for _, result := range report.Results {
		path := func(p *program.Program) string { return result.File.paths[p.Hash] }
		cover.Add(result.File.Program, path, result.steps)
	}
	report.Coverage = cover.Result()
	return report
}

func (r *Runner) each(ctx context.Context, results []Result, parallel int) {
	if parallel <= 0 {
		parallel = runtime.GOMAXPROCS(0)
	}
	todo := make(chan *Result)
	var workers sync.WaitGroup
	for range min(parallel, max(len(results), 1)) {
		workers.Go(func() {
			for result := range todo {
				*result = r.Run(ctx, result.File, result.Case)
			}
		})
	}
	for i := range results {
		todo <- &results[i]
	}
	close(todo)
	workers.Wait()
}
