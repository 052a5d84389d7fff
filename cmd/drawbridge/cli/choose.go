package cli

import (
	"context"
	"iter"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// every pages through a list of the store.
func every[T any](fetch func(after string) ([]T, error), id func(T) string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		after := ""
		for {
			page, err := fetch(after)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, one := range page {
				if !yield(one, nil) {
					return
				}
			}
			if len(page) < pageSize {
				return
			}
			after = id(page[len(page)-1])
		}
	}
}

// chosen is the one that an argument means: by its id or the beginning of one,
// with or without the prefix that its kind has.
func chosen[T any](all iter.Seq2[T, error], id func(T) string, kind, argument string) (T, error) {
	var none T
	var found []T
	for one, err := range all {
		switch {
		case err != nil:
			return none, err
		case id(one) == argument:
			return one, nil
		case begins(id(one), argument):
			found = append(found, one)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return none, usage("there is no %s %q", kind, argument)
	default:
		return none, usage("%d %ss begin with %q: write more of the id", len(found), kind, argument)
	}
}

// begins compares a beginning with an id, which is prefix_ulid.
func begins(id, beginning string) bool {
	beginning = strings.ToLower(beginning)
	prefix, rest, _ := strings.Cut(id, "_")
	beginning = strings.TrimPrefix(beginning, prefix+"_")
	return beginning != "" && strings.HasPrefix(rest, beginning)
}

// resolvePlan finds the plan that an argument means: an id, the beginning of
// one, or `last`.
func resolvePlan(ctx context.Context, store engine.Store, argument string) (engine.PlanRecord, error) {
	id := func(p engine.PlanRecord) string { return p.ID }
	all := every(func(after string) ([]engine.PlanRecord, error) {
		return store.Plans(ctx, engine.PlanQuery{After: after, Limit: pageSize})
	}, id)
	if argument != "last" {
		return chosen(all, id, "plan", argument)
	}
	for newest, err := range all {
		return newest, err
	}
	return engine.PlanRecord{}, usage("there is no plan yet")
}

// resolveApproval finds the approval that an argument means: an id, the
// beginning of one, or `last` for the only one that is pending.
func resolveApproval(ctx context.Context, store engine.Store, argument string) (engine.Approval, error) {
	if argument != "last" {
		return chosen(approvals(ctx, store, engine.ApprovalQuery{}), approvalID, "approval", argument)
	}
	var pending []engine.Approval
	for one, err := range approvals(ctx, store, engine.ApprovalQuery{Statuses: []engine.ApprovalStatus{engine.ApprovalPending}}) {
		if err != nil {
			return one, err
		}
		pending = append(pending, one)
	}
	switch len(pending) {
	case 1:
		return pending[0], nil
	case 0:
		return engine.Approval{}, usage("no approval is pending")
	default:
		return engine.Approval{}, usage("%d approvals are pending: name one", len(pending))
	}
}

func approvalID(a engine.Approval) string { return a.ID }

// approvals pages through the approvals that a query selects.
func approvals(ctx context.Context, store engine.Store, q engine.ApprovalQuery) iter.Seq2[engine.Approval, error] {
	return every(func(after string) ([]engine.Approval, error) {
		q.After, q.Limit = after, pageSize
		return store.Approvals(ctx, q)
	}, approvalID)
}
