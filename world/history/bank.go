package history

import (
	"fmt"
	"strings"
)

// Total tells whether each read of all accounts adds up to the total.
func Total(h History, total int) error {
	return each(h, "read of all accounts", map[Work]judge{Accounts: func(h History, ops []*Operation) (int, error) {
		judged := 0
		for _, o := range ops {
			if o.Kind != Txn || o.changes() || o.Outcome != OK || o.Act == Look {
				continue
			}
			judged++
			sum := 0
			var amounts []string
			for _, p := range o.Parts {
				n, err := Amount(p.Got)
				if err != nil {
					return judged, h.violation("no account", fmt.Sprintf("account %q: %v", p.Key, err), *o)
				}
				sum += n
				amounts = append(amounts, fmt.Sprint(n))
			}
			if sum != total {
				return judged, h.violation("wrong total", fmt.Sprintf("expected the total to be always %d, got %d: %s", total, sum, strings.Join(amounts, " + ")), *o)
			}
		}
		return judged, nil
	}})
}
