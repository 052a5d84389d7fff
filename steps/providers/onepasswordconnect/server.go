package onepasswordconnect

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
	"github.com/drawbridge-soar/drawbridge/steps/vault"
)

// server implements vault.Vault and engine.Tester over Connect's REST interface
// (version 1.5.7 of its description).
type server struct {
	client     *transport.Client
	base       string // …/v1
	credential func(ctx context.Context, refused string) (string, error)
}

var (
	_ vault.Vault   = (*server)(nil)
	_ secret.Source = (*server)(nil)
	_ engine.Tester = (*server)(nil)
)

// Read finds the vault, the item and then the field.
func (s *server) Read(ctx context.Context, at secret.Place) (secret.Value, error) {
	vaultID, err := s.find(ctx, at.Vault, "vault", vault.CodeVault, s.vaults)
	if err != nil {
		return secret.Value{}, err
	}
	itemID, err := s.find(ctx, at.Item, "item", vault.CodeItem, func(ctx context.Context, title string) ([]vault.Named, error) {
		return s.items(ctx, vaultID, title)
	})
	if err != nil {
		return secret.Value{}, err
	}
	it, err := s.item(ctx, vaultID, itemID)
	if err != nil {
		return secret.Value{}, err
	}
	return it.field(at.Section, at.Field)
}

// find is the id that a name or an id leads to. A filter is about the exact
// name: where nothing has it, everything is looked at, since letter case does
// not count in a reference, and it may be an id.
func (s *server) find(ctx context.Context, name, what, code string, list func(ctx context.Context, name string) ([]vault.Named, error)) (string, error) {
	found, err := list(ctx, name)
	if err == nil && len(found) == 0 {
		found, err = list(ctx, "")
	}
	if err != nil {
		return "", err
	}
	one, err := vault.Choose(found, name, what, code)
	return one.ID, err
}

// record is a vault or an item as a listing has it.
type record struct {
	ID    string `json:"id"`
	Name  string `json:"name"`  // of a vault
	Title string `json:"title"` // of an item
}

// vaults are those of a name, or all.
func (s *server) vaults(ctx context.Context, name string) ([]vault.Named, error) {
	return s.list(ctx, "/vaults", "/vaults", "name", name)
}

// items are those of a title in a vault, or all.
func (s *server) items(ctx context.Context, vaultID, title string) ([]vault.Named, error) {
	return s.list(ctx, "/vaults/"+vaultID+"/items", "/vaults/{vault}/items", "title", title)
}

func (s *server) list(ctx context.Context, path, route, attribute, value string) ([]vault.Named, error) {
	if value != "" {
		quoted, err := json.Marshal(value)
		if err != nil {
			return nil, engine.Fail(engine.ClassInvalid, "reference", "the %s cannot be asked for", attribute)
		}
		path += "?" + url.Values{"filter": {attribute + " eq " + string(quoted)}}.Encode()
	}
	var found []vault.Named
	err := s.get(ctx, path, route, func(r transport.Response) error {
		var list []record
		if err := r.JSON(&list); err != nil {
			return err //nolint:wrapcheck // named by the transport
		}
		found = nil
		for _, it := range list {
			if !validID(it.ID) {
				return errors.New("an entry has no id")
			}
			found = append(found, vault.Named{ID: it.ID, Title: it.Name + it.Title})
		}
		return nil
	})
	return found, err
}

// validID keeps an id of an answer from becoming another path.
func validID(id string) bool { return regexp.MustCompile(`^[\da-z]{26}$`).MatchString(id) }

// whole is an item with its fields.
type whole struct {
	Sections []struct {
		ID    string `json:"id"`
		Label string `json:"label"`
	} `json:"sections"`
	Fields []field `json:"fields"`
}

type field struct {
	ID      string `json:"id"`
	Label   string `json:"label"`
	Value   string `json:"value"`
	Section *struct {
		ID string `json:"id"`
	} `json:"section"`
}

func (s *server) item(ctx context.Context, vaultID, itemID string) (whole, error) {
	var out whole
	err := s.get(ctx, "/vaults/"+vaultID+"/items/"+itemID, "/vaults/{vault}/items/{item}", func(r transport.Response) error {
		out = whole{}
		return r.JSON(&out)
	})
	return out, err
}

// field finds the one that a section, or "", and a name or id lead to.
func (w whole) field(section, name string) (secret.Value, error) {
	var found []field
	for _, f := range w.Fields {
		if (f.ID == name || strings.EqualFold(f.Label, name)) && w.within(f, section) {
			found = append(found, f)
		}
	}
	if i := slices.IndexFunc(found, func(f field) bool { return f.ID == name }); i >= 0 {
		found = found[i : i+1]
	}
	switch {
	case len(found) == 0:
		return secret.Value{}, engine.Fail(engine.ClassNotFound, vault.CodeField, "the item has no such field")
	case len(found) > 1:
		return secret.Value{}, engine.Fail(engine.ClassInvalid, vault.CodeAmbiguous, "%d fields have the name: use the id, or the section", len(found))
	case found[0].Value == "":
		return secret.Value{}, engine.Fail(engine.ClassPermanent, vault.CodeEmpty, "the field has no value")
	}
	return secret.New(found[0].Value), nil
}

// within reports whether a field is in the section of a name or an id.
func (w whole) within(f field, section string) bool {
	if section == "" {
		return true
	}
	if f.Section == nil {
		return false
	}
	for _, s := range w.Sections {
		if s.ID == f.Section.ID {
			return s.ID == section || strings.EqualFold(s.Label, section)
		}
	}
	return f.Section.ID == section
}

func (s *server) get(ctx context.Context, path, route string, decode func(transport.Response) error) error {
	_, err := s.client.Do(ctx, transport.Request{
		Method: http.MethodGet, URL: s.base + path, Route: "GET /v1" + route, Effect: transport.Read,
		Credential: s.credential, Decode: decode, Explain: explain,
	})
	return err //nolint:wrapcheck // names the route
}

// explain reads {"status": 401, "message": "…"}.
func explain(r transport.Response) transport.Explanation {
	var said struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(r.Body, &said) != nil {
		return transport.Explanation{}
	}
	return transport.Explanation{Message: said.Message}
}
