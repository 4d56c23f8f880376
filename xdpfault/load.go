package xdpfault

import (
	"fmt"
	"sync"

	"github.com/cilium/ebpf"
)

// load sizes the maps and loads the object.
func (e *Engine) load() error {
	spec, err := verdictSpec()
	if err != nil {
		return fmt.Errorf("verdict object: %w", err)
	}
	spec = spec.Copy()
	n := uint32(e.cfg.MaxPorts)
	for name, entries := range map[string]uint32{
		verdictMapBrineMatrix:  planes * n * n / stridePadding,
		verdictMapBrineSets:    maxSets,
		verdictMapBrineRules:   maxRules,
		verdictMapBrinePorts:   n,
		verdictMapBrineAddr4:   addrsPerPort * n,
		verdictMapBrineAddr6:   addrsPerPort * n,
		verdictMapBrineLedger:  maxLedger,
		verdictMapBrineTraffic: maxTraffic,
	} {
		spec.Maps[name].MaxEntries = entries
	}
	if ro := spec.Maps[".rodata"]; ro != nil {
		ro.Name = "brine_rodata"
	}
	if err := spec.Variables[verdictVarStride].Set(n); err != nil {
		return fmt.Errorf("verdict object: stride: %w", err)
	}
	if err := spec.Variables[verdictVarProbeMac].Set([6]byte(e.probe)); err != nil {
		return fmt.Errorf("verdict object: probe address: %w", err)
	}
	e.spec = spec
	if err := e.assign(); err != nil {
		err = needs("the verdict program", "5.10", err)
		return fmt.Errorf("load the verdict program: %w\nhint: run as root, or give CAP_BPF and CAP_NET_ADMIN", err)
	}
	return nil
}

// verdictSpec parses the object once.
var verdictSpec = sync.OnceValues(loadVerdict)

// assign loads the maps and the program for tc, which every engine needs.
func (e *Engine) assign() error {
	var o struct {
		verdictMaps
		BrineTc *ebpf.Program `ebpf:"brine_tc"`
	}
	if err := e.spec.Copy().LoadAndAssign(&o, nil); err != nil {
		return err
	}
	e.prog.verdictMaps, e.prog.BrineTc = o.verdictMaps, o.BrineTc
	if e.cfg.Hook == HookXDP {
		var err error
		e.prog.BrineXdp, err = e.loadProgram(verdictProgBrineXdp)
		return err
	}
	return nil
}

// loadProgram loads one more program onto the same maps.
func (e *Engine) loadProgram(name string) (*ebpf.Program, error) {
	spec := e.spec.Copy()
	for other := range spec.Programs {
		if other != name {
			delete(spec.Programs, other)
		}
	}
	m := &e.prog.verdictMaps
	coll, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: map[string]*ebpf.Map{
		verdictMapBrineAddr4: m.BrineAddr4, verdictMapBrineAddr6: m.BrineAddr6, verdictMapBrineControl: m.BrineControl,
		verdictMapBrineFlows: m.BrineFlows, verdictMapBrineFrags: m.BrineFrags, verdictMapBrineIfindex: m.BrineIfindex,
		verdictMapBrineLedger: m.BrineLedger, verdictMapBrineMatrix: m.BrineMatrix, verdictMapBrineOdd: m.BrineOdd,
		verdictMapBrinePorts: m.BrinePorts, verdictMapBrineRules: m.BrineRules, verdictMapBrineSets: m.BrineSets,
		verdictMapBrineTraffic: m.BrineTraffic, verdictMapBrineLost: m.BrineLost, verdictMapBrineCut: m.BrineCut,
	}})
	if err != nil {
		return nil, fmt.Errorf("load program %s: %w", name, err)
	}
	defer coll.Close()
	return coll.DetachProgram(name), nil
}

func (e *Engine) mapMemory() error {
	var cells shared[uint16]
	var kernelSets shared[verdictRuleset]
	var err error
	if cells, err = share[uint16](e.prog.BrineMatrix); err != nil {
		return err
	}
	e.matrix = &matrix{stride: e.cfg.MaxPorts, cells: cells}
	if kernelSets, err = share[verdictRuleset](e.prog.BrineSets); err != nil {
		return err
	}
	e.sets = newSets(kernelSets)
	if e.control, err = share[verdictControl](e.prog.BrineControl); err != nil {
		return err
	}
	e.matrix.gen = &e.control.at[0].Generation
	if e.rules, err = share[verdictRule](e.prog.BrineRules); err != nil {
		return err
	}
	e.slots = newSlots("rules", 0, maxRules)
	if e.portMem, err = share[verdictPort](e.prog.BrinePorts); err != nil {
		return err
	}
	e.ifindex, err = share[uint64](e.prog.BrineIfindex)
	return err
}

// closeObjects closes what was loaded; a failed load leaves nils.
func closeObjects(o *verdictObjects) error {
	if o.BrineTc == nil {
		return nil
	}
	return o.Close()
}
