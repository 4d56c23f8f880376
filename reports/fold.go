package reports

import (
	"fmt"
	"strings"
)

// fold makes one piece of looks that followed each other in one step and found the same: a sentence with a time bound
// looks many times, and only a change is news. The pieces of the last look are kept, with a list of all.
func fold(all []evidence) []evidence {
	var out []evidence
	for i := 0; i < len(all); {
		j := i + 1
		for all[i].again != "" && j < len(all) && all[j].again == all[i].again && all[j].Step == all[i].Step && all[j].Kind == all[i].Kind {
			j++
		}
		if j-i < 3 {
			out = append(out, all[i:j]...)
		} else {
			out = append(out, folded(all[i:j]))
		}
		i = j
	}
	return out
}

func folded(all []evidence) evidence {
	e := all[len(all)-1]
	least, most := e.took, e.took
	var b strings.Builder
	for i, x := range all {
		least, most = min(least, x.took), max(most, x.took)
		if i < 5 || i >= len(all)-5 {
			fmt.Fprintf(&b, "%d  +%.3f s  %s\n", i+1, float64(x.At)/1e6, span(x.took))
		} else if i == 5 {
			b.WriteString("…\n")
		}
	}
	e.Title = fmt.Sprintf("%s, %d times from +%.3f to +%.3f s, %s to %s each", e.again, len(all), float64(all[0].At)/1e6, float64(e.At)/1e6, span(least), span(most))
	e.At = all[0].At
	e.Parts = append(texts("looks", b.String()), e.Parts...)
	return e
}
