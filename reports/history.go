package reports

import (
	"bufio"
	"encoding/json"
	"os"
	"path"

	"brine.test/brine/world/record"
)

// workOp is what a series needs to know of an operation.
type workOp struct {
	Client   int            `json:"client"`
	Start    int64          `json:"start"`
	End      int64          `json:"end"`
	Outcome  record.Outcome `json:"outcome"`
	Conflict bool           `json:"conflict"`
}

// maxHistory bounds what is read of a history, in bytes.
const maxHistory = 64 << 20

// worked reads the operations of a scenario's workloads from the histories among its artifacts. The workload's own first
// writes and final reads are no client's.
func worked(at home, s *record.ScenarioRun) []workOp {
	var out []workOp
	root, err := os.OpenRoot(at.dir)
	if err != nil {
		return nil
	}
	defer root.Close() //nolint:errcheck // read only
	for _, a := range s.Attachments {
		if path.Base(a.File) != "history.jsonl" {
			continue
		}
		f, err := root.Open(a.File)
		if err != nil {
			continue
		}
		read := 0
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 4<<20)
		for read < maxHistory && lines.Scan() {
			read += len(lines.Bytes())
			var o workOp
			if json.Unmarshal(lines.Bytes(), &o) != nil || o.Client == 0 || o.End < o.Start {
				continue
			}
			if o.Conflict {
				o.Outcome = record.OutcomeOK // it was answered
			}
			out = append(out, o)
		}
		_ = f.Close() // read only
	}
	return out
}
