package reports

import (
	"fmt"
	"time"

	"brine.test/brine/world/record"
)

// facts are the run, the machine and what ran on it; of merged runs those of each.
func facts(run *record.Run) []record.Field {
	out := []record.Field{
		{Name: "Began", Value: time.Unix(0, run.Begin.Wall).UTC().Format("2 Jan 2006, 15:04:05 UTC")},
		{Name: "Took", Value: span(run.End.Sub(run.Begin))},
	}
	if len(run.Shards) == 0 {
		return append(out, machineFacts(run.Info, "")...)
	}
	for i, info := range run.Shards {
		name := info.Shard
		if name == "" {
			name = fmt.Sprintf("run %d", i+1)
		}
		out = append(out, machineFacts(info, name+": ")...)
	}
	return out
}

func machineFacts(i record.RunInfo, prefix string) []record.Field {
	m := i.Machine
	var out []record.Field
	add := func(name, value string) {
		if value != "" {
			out = append(out, record.Field{Name: plain(prefix + name), Value: plain(value)})
		}
	}
	add("Run", i.ID)
	add("Seed", fmt.Sprint(i.Seed))
	add("Commit", i.Commit)
	add("Features", list(i.Selection.Features))
	add("Tags", i.Selection.Tags)
	if i.Selection.Concurrency > 1 {
		add("At once", plural(uint64(i.Selection.Concurrency), "scenario"))
	}
	add("Host", m.Host)
	add("System", m.OS)
	add("Kernel", m.Kernel)
	if m.CPUs > 0 {
		add("Machine", fmt.Sprintf("%s, %s, %s", m.Arch, plural(uint64(m.CPUs), "CPU"), size(uint64(max(m.Memory, 0)))))
	}
	add("Go", m.Go)
	add("Container engine", i.Engine)
	add("Link faults at", i.FaultHook)
	for _, v := range i.Versions {
		add(v.Name, v.Version)
	}
	return out
}
