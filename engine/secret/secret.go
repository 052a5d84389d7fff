// Package secret keeps credentials out of everything that is stored, logged or
// shown: references that are resolved late, values that print as <secret>, and
// a redactor that removes known values from text.
package secret

import "context"

// Placeholder is what stands wherever a secret would have stood.
const Placeholder = "<secret>"

// Reference says where a secret is kept: env://NAME, file:///path,
// op://vault/item/field.
type Reference string

// Value is a secret in memory. It prints, formats and encodes as Placeholder.
type Value struct{ plain string }

// New wraps a plain secret.
func New(plain string) Value { return Value{plain: plain} }

// Reveal is the plain secret, for the one place that sends it.
func (v Value) Reveal() string { return v.plain }

// String is Placeholder.
func (Value) String() string { return Placeholder }

// GoString is Placeholder, for %#v.
func (Value) GoString() string { return Placeholder }

// MarshalText is Placeholder, for JSON and YAML.
func (Value) MarshalText() ([]byte, error) { return []byte(Placeholder), nil }

// Learner keeps secrets that were received, such as access tokens, out of
// everything that is stored or shown. A Resolver may be one.
type Learner interface{ Learn(v Value) }

// Resolver turns references into values. Errors name the reference, never a value.
type Resolver interface {
	Resolve(ctx context.Context, ref Reference) (Value, error)
}

// Renewer is a Resolver that can read a reference anew, after a service has
// refused the value it led to.
type Renewer interface {
	Resolver
	Renew(ctx context.Context, ref Reference, refused Value) (Value, error)
}

// Renew reads a reference anew where the resolver can; others resolve it again.
func Renew(ctx context.Context, r Resolver, ref Reference, refused Value) (Value, error) {
	if renewer, ok := r.(Renewer); ok {
		return renewer.Renew(ctx, ref, refused)
	}
	return r.Resolve(ctx, ref)
}

// Forget has references read anew the next time, where the resolver keeps what
// it has read: a service has refused what they led to.
func Forget(r Resolver, refs ...Reference) {
	forgetful, ok := r.(interface{ Forget(ref Reference) })
	if !ok {
		return
	}
	for _, ref := range refs {
		if ref != "" {
			forgetful.Forget(ref)
		}
	}
}
