package expression_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-soar/drawbridge/engine/expression"
)

func TestScan(t *testing.T) {
	lit := func(s string, at int) expression.Segment { return expression.Segment{Literal: s, Offset: at} }
	exp := func(s string, at int) expression.Segment {
		return expression.Segment{Source: s, IsExpr: true, Offset: at}
	}
	tests := []struct {
		in   string
		want []expression.Segment
	}{
		{"", nil},
		{"plain", []expression.Segment{lit("plain", 0)}},
		{"${{ a }}", []expression.Segment{exp("a", 4)}},
		{"${{a}}", []expression.Segment{exp("a", 3)}},
		{"x ${{ a }} y", []expression.Segment{lit("x ", 0), exp("a", 6), lit(" y", 10)}},
		{"${{ a }}${{ b }}", []expression.Segment{exp("a", 4), exp("b", 12)}},
		{"é ${{ 'é' + a }}", []expression.Segment{lit("é ", 0), exp("'é' + a", 7)}},
		{"${{ '}}' + \"}}\" + `}}` }}", []expression.Segment{exp("'}}' + \"}}\" + `}}`", 4)}},
		{`${{ 'it\'s }}' }}`, []expression.Segment{exp(`'it\'s }}'`, 4)}},
		{"${{ {a: {b: 1}} }}", []expression.Segment{exp("{a: {b: 1}}", 4)}},
		{"${{ {a: {b: 1}}}}", []expression.Segment{exp("{a: {b: 1}}", 4)}},
		{"${{ filter(x, {# > 1}) }}", []expression.Segment{exp("filter(x, {# > 1})", 4)}},
		{"${{ a /* }} */ }}", []expression.Segment{exp("a /* }} */", 4)}},
		{"${{ a // }}\n }}", []expression.Segment{exp("a // }}", 4)}},
		{"${{\n  a +\n  b\n}}", []expression.Segment{exp("a +\n  b", 6)}},
		{"cost: $5 {{ a }} $ { }}", []expression.Segment{lit("cost: $5 {{ a }} $ { }}", 0)}},
		{"$${{ a }}", []expression.Segment{lit("${{ a }}", 0)}},
		{"a $${{ b }} ${{ c }}", []expression.Segment{lit("a ${{ b }} ", 0), exp("c", 16)}},
		{"$$${{ b", []expression.Segment{lit("$${{ b", 0)}},
		{"$${{$${{", []expression.Segment{lit("${{${{", 0)}},
	}
	for _, tc := range tests {
		got, problems := expression.Scan(tc.in)
		if len(problems) > 0 {
			t.Errorf("%q: %+v", tc.in, problems)
			continue
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%q (-want +got)\n%s", tc.in, diff)
		}
		for _, s := range got {
			if s.IsExpr && !strings.HasPrefix(tc.in[s.Offset:], s.Source) {
				t.Errorf("%q: %q is not at %d", tc.in, s.Source, s.Offset)
			}
		}
	}
}

func TestScanProblems(t *testing.T) {
	tests := []struct {
		in      string
		offset  int
		length  int
		message string
		hint    string
	}{
		{"a ${{ b", 2, 3, "unclosed `${{`", "`}}`"},
		{"${{", 0, 3, "unclosed `${{`", "`}}`"},
		{"${{ 'b }} c", 0, 3, "unclosed `${{`", "quotation mark"},
		{"${{ 'b }}\n'", 0, 3, "unclosed `${{`", "quotation mark"},
		{"${{ {a: 1 }}", 0, 3, "unclosed `${{`", "`}}`"},
		{"${{ a }", 0, 3, "unclosed `${{`", "`}}`"},
		{"é ${{  }} x", 3, 7, "there is no expression", ""},
		{"${{}}", 0, 5, "there is no expression", ""},
	}
	for _, tc := range tests {
		segments, problems := expression.Scan(tc.in)
		if len(problems) != 1 || segments != nil {
			t.Errorf("%q: %+v", tc.in, problems)
			continue
		}
		p := problems[0]
		if p.Code != "template" || p.Offset != tc.offset || p.Length != tc.length || !strings.Contains(p.Message, tc.message) || !strings.Contains(p.Hint, tc.hint) {
			t.Errorf("%q: %+v", tc.in, p)
		}
	}
	if _, problems := expression.Scan("${{ }} and ${{ a"); len(problems) != 2 {
		t.Errorf("want both problems, got %+v", problems)
	}
}
