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
	line    *line                // nil until a rule needs it
	cutter  *cutter              // likewise
	lost    *lostReader          // nil until someone watches a port
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
		ports: map[int]*Port{}, handles: map[*Handle]struct{}{},
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

// DelayLine is the process that holds packets, 0 while no rule has asked for it.
// Until Close it is this one's to be waited for: its number is not another's.
func (e *Engine) DelayLine() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.line == nil {
		return 0
	}
	return e.line.cmd.Process.Pid
}

// Close detaches all ports and frees programs and maps. Harm that is on ends
// with it; handles keep their last receipts.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	e.mu.Unlock()
	errs := []error{e.lost.close()} // not under the lock, which it takes
	e.mu.Lock()
	defer e.mu.Unlock()
	e.background.Wait()
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
	errs = append(errs, e.line.close(), e.cutter.close(), e.tc.close(), e.xdp.close())
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

var errClosed = errors.New("engine is closed")

// ErrNoSuchPort is wrapped by errors that name a port which is not attached.
var ErrNoSuchPort = errors.New("no such port")
