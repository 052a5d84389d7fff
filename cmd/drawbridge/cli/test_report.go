package cli

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/testrun"
	"github.com/drawbridge-soar/drawbridge/playbooks/playbooktest"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// testsDocument is what test prints with -o json.
type testsDocument struct {
	Passed      int                     `json:"passed"`
	Failed      int                     `json:"failed"`
	Tests       []testDocument          `json:"tests"`
	Coverage    []playbooktest.Coverage `json:"coverage"`
	Diagnostics []yamldoc.Diagnostic    `json:"diagnostics"` // of test files and playbooks that have mistakes
}

type testDocument struct {
	File     string               `json:"file"`
	Line     int                  `json:"line"`
	Name     string               `json:"name"`
	Passed   bool                 `json:"passed"`
	Seconds  float64              `json:"seconds"`
	Failures []yamldoc.Diagnostic `json:"failures,omitempty"`
	Notes    []string             `json:"notes,omitempty"`
}

func (a *app) showTests(report testrun.Report, problems []yamldoc.Diagnostic, o testOptions) error {
	if o.junit != "" {
		if err := writeJUnit(o.junit, report); err != nil {
			return err
		}
	}
	if a.json() {
		return a.print(documentOfTests(report, problems))
	}
	fmt.Fprint(a.stdout, yamldoc.Render(problems))
	for _, r := range report.Results {
		a.showTest(r)
	}
	a.showCoverage(report, o)
	a.sumUp(report, o)
	return nil
}

func documentOfTests(report testrun.Report, problems []yamldoc.Diagnostic) testsDocument {
	failed := report.Failed()
	doc := testsDocument{
		Passed: len(report.Results) - failed, Failed: failed, Tests: []testDocument{},
		Coverage: report.Coverage, Diagnostics: diagnosticsOf(problems).Diagnostics,
	}
	if doc.Coverage == nil {
		doc.Coverage = []playbooktest.Coverage{}
	}
	for _, r := range report.Results {
		doc.Tests = append(doc.Tests, testDocument{
			File: r.File.Suite.Path, Line: r.Case.Line(), Name: r.Case.Name, Passed: len(r.Failures) == 0,
			Seconds: r.Took.Seconds(), Failures: r.Failures, Notes: r.Notes,
		})
	}
	return doc
}

func (a *app) showTest(r testrun.Result) {
	verdict := a.palette.Good("ok  ")
	if len(r.Failures) > 0 {
		verdict = a.palette.Bad("FAIL")
	}
	took := a.palette.Dim("(" + r.Took.Round(time.Millisecond).String() + ")")
	fmt.Fprintf(a.stdout, "%s %s: %s %s\n", verdict, screen.Clean(r.File.Suite.Path, 200), screen.Clean(r.Case.Name, 200), took)
	if len(r.Failures) == 0 {
		return
	}
	fmt.Fprint(a.stdout, yamldoc.Render(r.Failures))
	for _, note := range r.Notes {
		fmt.Fprintf(a.stdout, "      note: %s\n", screen.Clean(note, 500))
	}
}

func (a *app) showCoverage(report testrun.Report, o testOptions) {
	for _, c := range report.Coverage {
		line := fmt.Sprintf("cover %s: %.0f %% (%d of %d)", screen.Clean(c.Playbook, 200), c.Percent, c.Reached, c.Total)
		if c.Percent < o.coverMin {
			line += a.palette.Bad(fmt.Sprintf(", less than %g %%", o.coverMin))
		}
		fmt.Fprintln(a.stdout, line)
		if !o.cover {
			continue
		}
		for _, u := range c.Uncovered {
			fmt.Fprintf(a.stdout, "  %s:%d:%d: %s\n", screen.Clean(c.Playbook, 200), u.Line, u.Column, screen.Clean(u.What, 200))
		}
	}
}

// tooLittle are the playbooks of which the tests reach less than wanted.
func tooLittle(report testrun.Report, least float64) []string {
	var out []string
	for _, c := range report.Coverage {
		if c.Percent < least {
			out = append(out, c.Playbook)
		}
	}
	return out
}

func (a *app) sumUp(report testrun.Report, o testOptions) {
	failed, all := report.Failed(), len(report.Results)
	switch {
	case all == 0:
	case failed > 0:
		fmt.Fprintf(a.stdout, "%s %d of %s failed\n", a.palette.Bad("✗"), failed, plural(all, "test", "tests"))
	case len(tooLittle(report, o.coverMin)) > 0:
		fmt.Fprintf(a.stdout, "%s %s, but they reach too little\n", a.palette.Bad("✗"), plural(all, "test passed", "tests passed"))
	default:
		fmt.Fprintf(a.stdout, "%s %s\n", a.palette.Good("✓"), plural(all, "test passed", "tests passed"))
	}
}

// junitSuites is the root of JUnit XML as CI systems read it.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Seconds  string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr"`
	Line    int           `xml:"line,attr"`
	Seconds string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func writeJUnit(path string, report testrun.Report) error {
	out := junitSuites{Tests: len(report.Results), Failures: report.Failed()}
	var took []time.Duration
	for _, r := range report.Results {
		name := r.File.Suite.Path
		if n := len(out.Suites); n == 0 || out.Suites[n-1].Name != name {
			out.Suites, took = append(out.Suites, junitSuite{Name: name}), append(took, 0)
		}
		s := &out.Suites[len(out.Suites)-1]
		s.Tests++
		took[len(took)-1] += r.Took
		s.Seconds = seconds(took[len(took)-1])
		c := junitCaseOf(r)
		if c.Failure != nil {
			s.Failures++
		}
		s.Cases = append(s.Cases, c)
	}
	data, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the results: %w", err)
	}
	if err := os.WriteFile(path, append([]byte(xml.Header), append(data, '\n')...), 0o644); err != nil { //nolint:gosec // meant to be read
		return fmt.Errorf("writing the results: %w", err)
	}
	return nil
}

func junitCaseOf(r testrun.Result) junitCase {
	name := r.File.Suite.Path
	c := junitCase{Name: r.Case.Name, Class: strings.TrimSuffix(name, playbooktest.Extension), File: name, Line: r.Case.Line(), Seconds: seconds(r.Took)}
	if len(r.Failures) > 0 {
		c.Failure = &junitFailure{Message: r.Failures[0].Headline(), Text: yamldoc.Render(r.Failures)}
	}
	return c
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
