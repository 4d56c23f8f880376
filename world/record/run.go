package record

// RunInfo is the run's header, its first event.
type RunInfo struct {
	Schema int    `json:"schema"`
	ID     string `json:"id" redact:"-"`
	// Base is a moment on both clocks; Base.Wall - Base.Mono turns one into the other. Open sets it.
	Base Time `json:"base"`
	// Seed is what all choices of the run come from.
	Seed uint64 `json:"seed,string"`
	// Again is the shell command that runs the same again.
	Again   string  `json:"again,omitempty"`
	Machine Machine `json:"machine"`
	// Engine is the container engine with its version, e.g. "containerd 2.4.2".
	Engine string `json:"engine,omitempty"`
	// FaultHook is where link faults sit: "tc" or "xdp".
	FaultHook string `json:"fault_hook,omitempty"`
	// Versions lists what else matters: runc, the framework itself, systems under test.
	Versions  []Version `json:"versions,omitempty"`
	Selection Selection `json:"selection"`
	// Shard tells machines or shards of one suite apart when their records are merged.
	Shard string `json:"shard,omitempty"`
	// Commit is the revision of the tested project, where known.
	Commit string `json:"commit,omitempty"`
}

// Machine is where the run ran. Open fills in what is empty.
type Machine struct {
	Host   string `json:"host,omitempty"`
	OS     string `json:"os,omitempty"`
	Kernel string `json:"kernel,omitempty"`
	Arch   string `json:"arch,omitempty"`
	Go     string `json:"go,omitempty"`
	CPUs   int    `json:"cpus,omitempty"`
	Memory int64  `json:"memory,omitempty"` // bytes
}

// Version names one program and its version.
type Version struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Selection is what the run was asked to run.
type Selection struct {
	Features    []string `json:"features,omitempty"`
	Tags        string   `json:"tags,omitempty"`
	Name        string   `json:"name,omitempty"`
	Concurrency int      `json:"concurrency,omitempty"`
}

// RunResult is the run's last event. A record without it is that of a killed run.
type RunResult struct {
	// Interrupted names the signal or limit that ended the run early.
	Interrupted string `json:"interrupted,omitempty"`
	// Leftovers of the whole run, after the last teardown; empty is as it should be.
	Leftovers []string `json:"leftovers,omitempty"`
}

// Source is the text of a feature file as it was run.
type Source struct {
	URI  string `json:"uri"`
	Text string `json:"text"`
}
