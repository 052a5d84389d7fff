package yamldoc_test

import (
	"testing"
	"time"

	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func TestWhatIsEncodedReadsBack(t *testing.T) {
	t.Parallel()
	out, err := yamldoc.Encode([]yamldoc.Pair{
		{Name: "z", Value: []yamldoc.Pair{{Name: "settle", Value: 90 * time.Second}, {Name: "n", Value: int64(3)}}},
		{Name: "true", Value: "no"},
		{Name: "list", Value: []any{"a: b", "1", 2.5, true}},
		{Name: "map", Value: map[string]any{"b": "#", "a": nil}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `z:
    settle: 90s
    n: 3
"true": "no"
list:
    - 'a: b'
    - "1"
    - 2.5
    - true
map:
    a: null
    b: '#'
`
	if string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	root, problems := yamldoc.Parse("x.yaml", out)
	if len(problems) > 0 || root.Get("true").Text() != "no" || root.Get("map").Get("b").Text() != "#" {
		t.Errorf("read back: %v", problems)
	}
}

func TestWhatCannotBeEncodedIsAnError(t *testing.T) {
	t.Parallel()
	if out, err := yamldoc.Encode([]yamldoc.Pair{{Name: "a", Value: make(chan int)}}); err == nil {
		t.Errorf("got %q", out)
	}
}
