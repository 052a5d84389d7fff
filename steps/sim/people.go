package sim

import (
	"encoding/base32"
	"encoding/binary"
	"strconv"
	"strings"
	"time"
)

// Person is an account as a test knows it.
type Person struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
}

// population computes accounts by their index, so that a million of them cost
// no memory.
type population struct {
	seed    uint64
	count   int
	now     time.Time
	account string
	domain  string // of the addresses of ordinary people
	given   []string
	family  []string
	parts   []part
	byIndex map[int]int    // index of a person → index in parts
	byID    map[string]int // index of a person whose id was chosen
}

func newPopulation(o Options) population {
	p := population{
		seed: o.Seed, count: o.Users, now: o.Now,
		account: idOf(o.Seed, mix(o.Seed^0xacc0)),
		domain:  "@example.com",
		given:   givenNames(),
		family:  familyNames(),
		parts:   append(parts(), victims(o)...),
		byIndex: map[int]int{},
		byID:    map[string]int{},
	}
	if o.Scene != nil {
		p.parts, p.domain = o.Scene.parts(), "@staff.example.com" // nobody named has the address of one who is not
	}
	for n, part := range p.parts {
		p.byIndex[p.place(n)] = n
		if part.id != "" {
			p.byID[part.id] = p.place(n)
		}
	}
	return p
}

// place spreads the cast evenly, so that every page has some of it.
func (p population) place(part int) int { return (part + 1) * p.count / (len(p.parts) + 1) }

func (p population) part(i int) (part, bool) {
	n, ok := p.byIndex[i]
	if !ok {
		return part{}, false
	}
	return p.parts[n], true
}

func (p population) person(i int) Person {
	name, email := p.nameAndEmail(i)
	return Person{ID: p.id(i), Name: name, Email: email}
}

func (p population) nameAndEmail(i int) (name, email string) {
	if part, ok := p.part(i); ok {
		return part.name, part.email
	}
	return p.ordinaryName(i)
}

// ordinaryName runs through all pairs of names before it numbers them.
func (p population) ordinaryName(i int) (name, email string) {
	pairs := len(p.given) * len(p.family)
	pair := (i*1009 + int(p.seed%uint64(pairs))) % pairs // 1009 is coprime to the number of pairs
	first, last := p.given[pair%len(p.given)], p.family[pair/len(p.given)]
	number := ""
	if round := i / pairs; round > 0 {
		number = strconv.Itoa(round + 1)
	}
	return first + " " + last, strings.ToLower(first) + "." + strings.ToLower(last) + number + p.domain
}

func (p population) created(i int) time.Time {
	if part, ok := p.part(i); ok && !part.created.IsZero() {
		return part.created
	}
	age := time.Duration(150+p.roll(i, "age")%1500) * 24 * time.Hour
	if part, ok := p.part(i); ok && part.age != 0 {
		age = part.age
	}
	return p.now.Add(-age - time.Duration(p.roll(i, "hour")%86400)*time.Second)
}

func (p population) beganSuspended(i int) bool {
	if part, ok := p.part(i); ok {
		return part.suspended
	}
	return mix(p.seed^uint64(i)*0x51ed)%41 == 0
}

// roll is a number that is the same for the same person and matter.
func (p population) roll(i int, about string) int {
	return int(hashOf(p.seed^mix(uint64(i)), about) >> 1)
}

// id has the form of the service's: 26 upper-case characters. The index can be
// had back from it, so that no table is needed.
func (p population) id(i int) string { return string(p.appendID(nil, i)) }

func (p population) appendID(b []byte, i int) []byte {
	if part, ok := p.part(i); ok && part.id != "" {
		return append(b, part.id...)
	}
	return appendID(b, p.seed, uint64(i))
}

func (p population) indexOf(id string) (int, bool) {
	if i, ok := p.byID[id]; ok {
		return i, true
	}
	raw, err := idEncoding().DecodeString(id)
	if err != nil || len(raw) != 16 {
		return 0, false
	}
	i := unmix(binary.BigEndian.Uint64(raw)) ^ p.seed
	if i >= uint64(p.count) || p.id(int(i)) != id {
		return 0, false
	}
	return int(i), true
}

func idEncoding() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }

func idOf(seed, n uint64) string { return string(appendID(nil, seed, n)) }

func appendID(b []byte, seed, n uint64) []byte {
	var raw [16]byte
	hi := mix(n ^ seed)
	binary.BigEndian.PutUint64(raw[:8], hi)
	binary.BigEndian.PutUint64(raw[8:], mix(hi^0xd7a3)^seed)
	return idEncoding().AppendEncode(b, raw[:])
}

// mix is the finalizer of splitmix64: every bit of x moves every bit of the
// result, and unmix undoes it.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

func unmix(x uint64) uint64 {
	x ^= x>>31 ^ x>>62
	x *= 0x319642b2d24d8ec3
	x ^= x>>27 ^ x>>54
	x *= 0x96de1b173f119089
	return x ^ x>>30 ^ x>>60
}

func hashOf(seed uint64, about string) uint64 {
	h := seed ^ 0xcbf29ce484222325
	for i := range len(about) {
		h = (h ^ uint64(about[i])) * 0x100000001b3
	}
	return mix(h)
}

// wordOf is a secret-looking word of 32 characters.
func wordOf(seed uint64, about string) string {
	const letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	b := make([]byte, 32)
	for i := range b {
		b[i] = letters[hashOf(seed+uint64(i)*0x9e37, about)%uint64(len(letters))]
	}
	return string(b)
}

func givenNames() []string {
	return []string{
		"Aisha", "Alejandro", "Amara", "Anders", "Anna", "Arjun", "Beatriz", "Ben", "Carla", "Chen",
		"Chloe", "Daniel", "Diego", "Elena", "Emeka", "Emma", "Fatima", "Felix", "Freya", "Giulia",
		"Hana", "Hugo", "Ines", "Isaac", "Ivan", "Jana", "Jonas", "Kaito", "Karim", "Lena",
		"Liam", "Lucia", "Maja", "Marek", "Mei", "Milan", "Nadia", "Noah", "Nora", "Omar",
		"Paula", "Pavel", "Rosa", "Sanjay", "Sofia", "Theo", "Yara", "Zoe",
	}
}

func familyNames() []string {
	return []string{
		"Adeyemi", "Ahmed", "Andersen", "Bauer", "Becker", "Bianchi", "Brandt", "Castillo", "Cohen", "Costa",
		"Dubois", "Eriksen", "Fischer", "Fontaine", "Garcia", "Haas", "Hansen", "Ito", "Jansen", "Kaya",
		"Keller", "Khan", "Kim", "Kovacs", "Kowalski", "Larsen", "Lopez", "Martin", "Mendes", "Moreau",
		"Nguyen", "Novak", "Okafor", "Patel", "Petrov", "Ricci", "Sato", "Schmidt", "Silva", "Wagner",
	}
}
