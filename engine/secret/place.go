package secret

import (
	"fmt"
	"strings"
	"unicode"
)

// onePassword is what a reference into a password manager begins with.
const onePassword = "op://"

// Place is where a secret is kept in 1Password: op://vault/item/field, or
// op://vault/item/section/field. Vault, item, section and field are given by
// name or by id, as 1Password writes secret references.
type Place struct {
	Vault   string
	Item    string
	Section string // "" where the field is in none, or its name is enough
	Field   string
}

// Reference is the place as it is written.
func (p Place) Reference() Reference {
	parts := []string{p.Vault, p.Item, p.Section, p.Field}
	if p.Section == "" {
		parts = []string{p.Vault, p.Item, p.Field}
	}
	return Reference(onePassword + strings.Join(parts, "/"))
}

// Check reports a part that is missing, or that cannot stand in a reference
// because it would be read as something else. The error wraps ErrReference.
func (p Place) Check() error {
	for _, part := range []struct{ name, text string }{
		{"vault", p.Vault}, {"item", p.Item}, {"section", p.Section}, {"field", p.Field},
	} {
		switch {
		case part.text == "" && part.name == "section":
		case strings.TrimSpace(part.text) == "":
			return fmt.Errorf("%w: the %s is empty: write op://vault/item/field", ErrReference, part.name)
		case strings.TrimSpace(part.text) != part.text:
			return fmt.Errorf("%w: the %s begins or ends with white space", ErrReference, part.name)
		case strings.ContainsAny(part.text, "/?#") || strings.ContainsFunc(part.text, unicode.IsControl):
			return fmt.Errorf("%w: a reference cannot hold the name of the %s, which has one of / ? # or a control character: use its id", ErrReference, part.name)
		}
	}
	return nil
}

// ParsePlace reads op://vault/item/field. What asks for an attribute of a field
// (?attribute=otp) is refused: a value that changes by itself cannot be kept.
// The error wraps ErrReference.
func ParsePlace(ref Reference) (Place, error) {
	rest, ok := strings.CutPrefix(string(ref), onePassword)
	if !ok {
		return Place{}, fmt.Errorf("%w: it must begin with op://", ErrReference)
	}
	rest, query, asked := strings.Cut(rest, "?")
	if asked {
		name, _, _ := strings.Cut(query, "=")
		return Place{}, fmt.Errorf("%w: ?%s is not available: write op://vault/item/field", ErrReference, clean(name))
	}
	var p Place
	switch parts := strings.Split(rest, "/"); len(parts) {
	case 3:
		p = Place{Vault: parts[0], Item: parts[1], Field: parts[2]}
	case 4:
		p = Place{Vault: parts[0], Item: parts[1], Section: parts[2], Field: parts[3]}
		if p.Section == "" {
			return Place{}, fmt.Errorf("%w: the section is empty: write op://vault/item/field", ErrReference)
		}
	default:
		return Place{}, fmt.Errorf("%w: it must be op://vault/item/field or op://vault/item/section/field", ErrReference)
	}
	return p, p.Check()
}

// clean is a short word of a reference for a message.
func clean(word string) string {
	word = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, word)
	return strings.ToValidUTF8(word[:min(len(word), 20)], "")
}
