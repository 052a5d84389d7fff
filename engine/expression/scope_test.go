package expression_test

import (
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/expression"
)

func field(name string, t engine.Type) engine.Field { return engine.Field{Name: name, Type: t} }

func stateType() engine.Type { return engine.EnumOf("active", "suspended") }

// userType is a row as actions declare it: with an enumeration and fields that
// may be missing.
func userType() engine.Type {
	return engine.MapOf(
		field("id", engine.TypeString()),
		field("email", engine.TypeString()),
		field("state", stateType()),
		field("created_at", engine.TypeTime()),
		field("failed", engine.TypeInteger()),
		field("score", engine.TypeNumber()),
		field("dept", engine.Maybe(engine.TypeString())),
		field("last_seen", engine.Maybe(engine.TypeTime())),
		field("manager", engine.Maybe(engine.MapOf(field("id", engine.TypeString()), field("phone", engine.Maybe(engine.TypeString()))))),
		field("tags", engine.ListOf(engine.TypeString())),
	)
}

func inputsType() engine.Type {
	return engine.MapOf(
		field("n", engine.TypeInteger()),
		field("ratio", engine.TypeNumber()),
		field("name", engine.TypeString()),
		field("flag", engine.TypeBool()),
		field("window", engine.TypeDuration()),
		field("since", engine.TypeTime()),
		field("limit", engine.Maybe(engine.TypeInteger())),
		field("list", engine.ListOf(engine.TypeInteger())),
		field("names", engine.ListOf(engine.TypeString())),
		field("labels", engine.DictOf(engine.TypeString())),
		field("text", engine.TypeText()),
		field("ratios", engine.ListOf(engine.TypeNumber())),
		field("windows", engine.ListOf(engine.TypeDuration())),
	)
}

func stepsType() engine.Type {
	return engine.MapOf(
		field("lookup", engine.MapOf(field("users", engine.ListOf(userType())), field("user", userType()), field("status", engine.TypeString()))),
		field("review", engine.Maybe(engine.MapOf(field("approved", engine.TypeBool()), field("by", engine.ListOf(engine.TypeString()))))),
		field("contain", engine.MapOf(field("items", engine.ListOf(engine.ItemType())))),
	)
}

func testScope() *expression.Scope {
	return expression.NewScope(
		field("inputs", inputsType()),
		field("steps", stepsType()),
		field("user", userType()),
		field("trigger", engine.TypeAny()),
		runField(),
	).WithUnavailable("steps.later", "it runs later, at line 12").WithUnavailable("item", "there is no loop around it")
}

func testUser(id string, failed int64) map[string]any {
	return map[string]any{
		"id": id, "email": id + "@example.com", "state": "active", "failed": failed, "score": 1.5,
		"created_at": time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), "dept": nil, "last_seen": nil, "manager": nil,
		"tags": []any{"a", "b"},
	}
}

func testValues() map[string]any {
	alice, bob := testUser("alice", 7), testUser("bob", 2)
	bob["dept"] = "IT"
	bob["manager"] = map[string]any{"id": "alice", "phone": nil}
	bob["last_seen"] = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	bob["state"] = "suspended"
	return map[string]any{
		"inputs": map[string]any{
			"n": int64(5), "ratio": 2.5, "name": "Ada", "flag": true, "window": 24 * time.Hour,
			"since": time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), "limit": nil,
			"list": []any{int64(3), int64(1), int64(2)}, "names": []any{"x", "y"},
			"labels": map[string]any{"team": "red", "env": "prod"}, "text": engine.Text{{S: "a"}, {S: "b", Foreign: true}},
			"ratios": []any{1.5, 2.0}, "windows": []any{time.Hour, time.Minute},
		},
		"steps": map[string]any{
			"lookup":  map[string]any{"users": []any{alice, bob}, "user": bob, "status": "succeeded"},
			"review":  nil,
			"contain": map[string]any{"items": []any{map[string]any{"key": "alice", "label": "Alice", "outcome": "done", "error": nil}}},
		},
		"user": alice,
		"trigger": map[string]any{"body": map[string]any{
			"n": int64(5), "f": 2.5, "name": "x", "flag": true, "none": nil, "list": []any{int64(1), int64(2)},
			"alert": map[string]any{"severity": "high"},
		}},
		"run": runValue(),
	}
}
