package xdpfault

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/rlimit"
)

// NetNS is a network namespace that can be entered.
type NetNS interface {
	// Do runs f on a thread that is inside the namespace.
	Do(f func() error) error
}

// Hook is where the verdict is taken.
type Hook int

// Hooks. HookDefault is what BRINE_HOOK says ("tc" or "xdp"), else HookTC.
const (
	HookDefault Hook = iota
	// HookTC decides at the clsact ingress of the host-side veth.
	HookTC
	// HookXDP decides at native XDP there; tc then only forwards. The sender's
	// segmentation offload is off, so that each verdict is on one wire packet.
	HookXDP
)

func (h Hook) String() string { return [...]string{"default", "tc", "xdp"}[h] }

// Config is what an engine is made of.
type Config struct {
	Seed     uint64 // of every random decision
	Hook     Hook
	MaxPorts int // indices are below; default 1,088 (about 9 MB of matrix)
}

// Sizes of tables.
const (
	defaultPorts  = 1088
	maxRules      = 4096
	maxSets       = 8192
	maxLedger     = 1 << 16
	maxTraffic    = 1 << 16
	addrsPerPort  = 8
	ifindexSlots  = 65536
	stridePadding = 4 // cells in an element of the matrix map
)

// Engine is the switch of one switch namespace, and all harm in it. Its
// methods may be called from any goroutine.
type Engine struct {
	ns   NetNS
	cfg  Config
	tc   tcHook
	xdp  xdpHook
	prog verdictObjects

	spec    *ebpf.CollectionSpec // as sized for this engine
	control shared[verdictControl]
	rules   shared[verdictRule]
	portMem shared[verdictPort]
	ifindex shared[uint64]
	probe   net.HardwareAddr

	background sync.WaitGroup

	mu      sync.Mutex // guards all below, and is the matrix's one writer
	closed  bool
	matrix  *matrix
	sets    *sets
	slots   *slots
	ports   map[int]*Port
	handles map[*Handle]struct{} // in force
	healed  []*Handle            // with entries in the ledger
	wired   map[int]map[int]bool // ports in wire mode, and their offloads before
	line    *line                // nil until a rule needs it
	lastID  uint32
	nonce   uint32
}

// New loads the programs and makes an engine for the switch namespace ns, with
// no ports yet. Needs CAP_BPF and CAP_NET_ADMIN, and kernel 5.10.
func New(ns NetNS, cfg Config) (_ *Engine, err error) {
	if cfg.MaxPorts == 0 {
		cfg.MaxPorts = defaultPorts
	}
	if cfg.MaxPorts < 2 || cfg.MaxPorts > 1<<13 {
		return nil, fmt.Errorf("at most %d ports: want 2 to %d", cfg.MaxPorts, 1<<13)
	}
	cfg.MaxPorts = (cfg.MaxPorts + stridePadding - 1) / stridePadding * stridePadding
	if cfg.Hook, err = chooseHook(cfg.Hook); err != nil {
		return nil, err
	}
	if err := rlimit.RemoveMemlock(); err != nil {
		return nil, fmt.Errorf("lift the locked-memory limit: %w", err)
	}
	e := &Engine{
		ns: ns, cfg: cfg, probe: newProbeMAC(),
		ports: map[int]*Port{}, handles: map[*Handle]struct{}{}, wired: map[int]map[int]bool{},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if err := e.load(); err != nil {
		return nil, err
	}
	if err := e.mapMemory(); err != nil {
		return nil, err
	}
	if e.tc, err = newTCHook(ns, e.prog.BrineTc); err != nil {
		return nil, err
	}
	e.xdp = newXDPHook(ns, e.prog.BrineXdp)
	return e, nil
}

func chooseHook(h Hook) (Hook, error) {
	if h != HookDefault {
		return h, nil
	}
	switch name := os.Getenv("BRINE_HOOK"); name {
	case "", "tc":
		return HookTC, nil
	case "xdp":
		return HookXDP, nil
	default:
		return h, fmt.Errorf("BRINE_HOOK=%s: want tc or xdp", name)
	}
}

// Hook tells where this engine takes its verdicts.
func (e *Engine) Hook() Hook { return e.cfg.Hook }

func newProbeMAC() net.HardwareAddr {
	mac := make(net.HardwareAddr, 6)
	_, _ = rand.Read(mac) // never fails (crypto/rand)
	mac[0] = mac[0]&^1 | 2
	return mac
}

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
		verdictMapBrineTraffic: m.BrineTraffic,
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

// Close detaches all ports and frees programs and maps. Harm that is on ends
// with it; handles keep their last receipts.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	e.background.Wait()
	var errs []error
	for h := range e.handles {
		h.done = true
		e.healed = append(e.healed, h)
	}
	if len(e.healed) > 0 {
		e.settle(e.healed)
	}
	for index := range e.ports {
		errs = append(errs, e.detach(index))
	}
	errs = append(errs, e.line.close(), e.tc.close(), e.xdp.close())
	if e.matrix != nil {
		errs = append(errs, e.matrix.cells.close())
	}
	if e.sets != nil {
		errs = append(errs, e.sets.kernel.close())
	}
	errs = append(errs, e.control.close(), e.rules.close(), e.portMem.close(), e.ifindex.close())
	errs = append(errs, closeObjects(&e.prog))
	return errors.Join(errs...)
}

// closeObjects closes what was loaded; a failed load leaves nils.
func closeObjects(o *verdictObjects) error {
	if o.BrineTc == nil {
		return nil
	}
	return o.Close()
}

var errClosed = errors.New("engine is closed")

// ErrNoSuchPort is wrapped by errors that name a port which is not attached.
var ErrNoSuchPort = errors.New("no such port")
