package sim

import (
	"fmt"
	"strconv"
)

// place is where an address is.
type place struct {
	country, region, city string
	lat, lon              float64
}

func places() []place {
	return []place{
		{"DE", "BE", "Berlin", 52.52, 13.40},
		{"DE", "HH", "Hamburg", 53.55, 9.99},
		{"FR", "IDF", "Paris", 48.86, 2.35},
		{"NL", "NH", "Amsterdam", 52.37, 4.90},
		{"PL", "MZ", "Warsaw", 52.23, 21.01},
		{"ES", "MD", "Madrid", 40.42, -3.70},
		{"GB", "ENG", "London", 51.51, -0.13},
		{"SE", "AB", "Stockholm", 59.33, 18.07},
		{"CA", "ON", "Toronto", 43.65, -79.38},
		{"US", "NY", "New York", 40.71, -74.01},
	}
}

func foreignPlaces() []place {
	return []place{
		{"RO", "B", "Bucharest", 44.43, 26.10},
		{"VN", "HN", "Hanoi", 21.03, 105.85},
		{"BR", "SP", "Sao Paulo", -23.55, -46.63},
		{"ID", "JK", "Jakarta", -6.21, 106.85},
	}
}

// home is a person's usual address. All addresses are from ranges set aside
// for documentation and measurement.
func (w *writer) home(i int) origin {
	return origin{
		ip:    fmt.Sprintf("198.18.%d.%d", i/250%256, 1+i%250),
		place: w.places[w.people.roll(i, "home")%len(w.places)],
	}
}

func (w *writer) abroad(i int, about string) origin {
	elsewhere := w.people.roll(i, "home") + 1 + w.people.roll(i, about)%(len(w.places)-1)
	return origin{
		ip:    fmt.Sprintf("198.19.%d.%d", i/250%256, 1+i%250),
		place: w.places[elsewhere%len(w.places)],
	}
}

func (w *writer) vpnExit(n int) origin {
	return origin{ip: fmt.Sprintf("198.51.100.%d", 1+n%8), place: w.places[n%8]}
}

func attacker(n int) origin {
	all := foreignPlaces()
	return origin{ip: fmt.Sprintf("203.0.113.%d", 10+7*n), place: all[n%len(all)]}
}

// days names a day, session or use, for rolling dice about it.
func days(n int) string { return strconv.Itoa(n) }
