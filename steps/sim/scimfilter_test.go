package sim

import "testing"

func FuzzSCIMFilter(f *testing.F) {
	for _, seed := range []string{
		`userName eq "sam"`, `id eq "a" or emails.value EQ "b"`, `active eq true`, `userName eq "a\"b"`, `userName eq`, `or or or`, `userName eq "x" or `, ``,
	} {
		f.Add(seed)
	}
	resource := object{"id": "a", "userName": "sam", "active": true, "emails": []object{{"value": "b"}}}
	f.Fuzz(func(t *testing.T, text string) {
		filter, ok := parseSCIMFilter(text)
		if ok != (len(filter) > 0) {
			t.Errorf("%q: %v, %v", text, filter, ok)
		}
		filter.matches(resource)
	})
}
