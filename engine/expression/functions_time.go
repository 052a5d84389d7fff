package expression

import (
	"math"
	"net/netip"
	"time"

	"github.com/expr-lang/expr/ast"

	"github.com/drawbridge-soar/drawbridge/engine"
)

func timeFunctions() []function {
	text, n, duration := engine.TypeString(), engine.TypeInteger(), engine.TypeDuration()
	return []function{
		{Function{"time", "time(text: string) → time", "A point in time, in RFC 3339 with its time zone.", `time("2026-01-01T12:00:00+01:00") == time("2026-01-01T11:00:00Z")`}, 1, 1, takes(engine.TypeTime(), text), runTime},
		{Function{"duration", "duration(text: string) → duration", "A duration as playbooks write it, with the units ms s m h d w.", `duration("1h30m") == minutes(90)`}, 1, 1, checkDuration, runDuration},
		{Function{"days", "days(n: integer) → duration", "So many times 24 hours.", `days(2) == hours(48)`}, 1, 1, takes(duration, n), units(24 * time.Hour)},
		{Function{"hours", "hours(n: integer) → duration", "So many hours.", `hours(24) == days(1)`}, 1, 1, takes(duration, n), units(time.Hour)},
		{Function{"minutes", "minutes(n: integer) → duration", "So many minutes.", `minutes(60) == hours(1)`}, 1, 1, takes(duration, n), units(time.Minute)},
		{Function{"ago", "ago(duration: duration | string) → time", "The point in time so long before the start of the run (`run.time`).", `ago("90d") == run.time - days(90)`}, 1, 1, checkAgo, runDuration},
		{Function{"ip_in", "ip_in(ip: string, network: string) → bool", "Whether an IP address belongs to a network in CIDR notation.", `ip_in("10.1.2.3", "10.0.0.0/8")`}, 2, 2, checkIPIn, runIPIn},
	}
}

// checkDuration is duration(text) and ago(text): a literal is read at once.
func checkDuration(c *checker, call call) engine.Type {
	c.arg(call, 0, engine.TypeString())
	c.durationLiteral(call.args[0])
	return engine.TypeDuration()
}

func (c *checker) durationLiteral(n ast.Node) {
	literal, ok := n.(*ast.StringNode)
	if !ok {
		return
	}
	if _, err := engine.ParseDuration(literal.Value); err != nil {
		c.problem(n, codeType, "%q is not a duration", clip(literal.Value)).Hint = "write a whole number with a unit of ms s m h d w, such as 30m, 24h or 90d"
	}
}

// checkAgo also notes that the function reads the time of the run.
func checkAgo(c *checker, call call) engine.Type {
	t := c.operand(call.args[0])
	if !unknown(t) && !isAny(t) && !isString(t) && t.Kind != engine.KindDuration {
		c.problem(call.args[0], codeType, "this is %s, a duration is needed", describe(t))
	}
	c.durationLiteral(call.args[0])
	run, _ := c.scope.root("run")
	if f, ok := run.Field("time"); !isAny(run) && (!ok || f.Type.Kind != engine.KindTime) {
		c.problem(call.node, codeUnknownName, "`ago` needs `run.time`, which is not there")
		return engine.Type{}
	}
	c.reads = append(c.reads, Path{"run", "time"})
	return engine.TypeTime()
}

func checkIPIn(c *checker, call call) engine.Type {
	c.arg(call, 0, engine.TypeString())
	c.arg(call, 1, engine.TypeString())
	if literal, ok := call.args[1].(*ast.StringNode); ok {
		if _, err := netip.ParsePrefix(literal.Value); err != nil {
			c.problem(literal, codeType, "%q is not a network", clip(literal.Value)).Hint = "write it in CIDR notation, such as 10.0.0.0/8 or 192.0.2.7/32"
		}
	}
	return engine.TypeBool()
}

func runTime(_ *meter, args []any) (any, error) {
	s, err := asString(args, 0)
	if err != nil {
		return nil, err
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return nil, &fault{arg: 0, reason: "is not a time in RFC 3339, such as 2026-01-02T15:04:05Z"}
	}
	return at.UTC(), nil
}

// runDuration takes a duration as it is, too: ago has both.
func runDuration(_ *meter, args []any) (any, error) {
	if d, ok := args[0].(time.Duration); ok {
		return d, nil
	}
	s, err := asString(args, 0)
	if err != nil {
		return nil, err
	}
	d, err := engine.ParseDuration(s)
	if err != nil {
		return nil, &fault{arg: 0, reason: "is not a duration, such as 30m, 24h or 90d"}
	}
	return d, nil
}

func units(unit time.Duration) runner {
	return func(_ *meter, args []any) (any, error) {
		n, err := asInteger(args, 0)
		if err != nil {
			return nil, err
		}
		if n > int64(math.MaxInt64/unit) || n < int64(math.MinInt64/unit) {
			return nil, &fault{arg: -1, reason: "is longer than a duration can be"}
		}
		return time.Duration(n) * unit, nil
	}
}

func runIPIn(_ *meter, args []any) (any, error) {
	s, err := asString(args, 0)
	if err != nil {
		return nil, err
	}
	cidr, err := asString(args, 1)
	if err != nil {
		return nil, err
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return nil, &fault{arg: 0, reason: "is not an IP address"}
	}
	network, err := netip.ParsePrefix(cidr)
	if err != nil {
		return nil, &fault{arg: 1, reason: "is not a network in CIDR notation"}
	}
	return network.Contains(ip.Unmap().WithZone("")), nil
}
