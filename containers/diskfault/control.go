package diskfault

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// What a server can be asked for. Requests and responses are JSON, one a line.
const (
	doApply     = "apply"
	doHeal      = "heal"
	doReceipt   = "receipt"
	doCalls     = "calls"
	doSync      = "sync"
	doLosePower = "lose power"
)

type request struct {
	Do   string `json:"do"`
	ID   string `json:"id,omitempty"`
	Rule *Rule  `json:"rule,omitempty"`
}

type response struct {
	Error   string   `json:"error,omitempty"`
	Receipt *Receipt `json:"receipt,omitempty"`
	Loss    *Loss    `json:"loss,omitempty"`
}

// listen answers on the control socket.
func (s *server) listen(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "diskfault: control socket:", err)
			return
		}
		go s.talk(conn)
	}
}

func (s *server) talk(conn net.Conn) {
	defer conn.Close() //nolint:errcheck // all was answered
	if err := checkPeer(conn); err != nil {
		fmt.Fprintln(os.Stderr, "diskfault: control socket:", err)
		return
	}
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, 1<<20)
	out := json.NewEncoder(conn)
	for lines.Scan() {
		var ask request
		var answer response
		if err := json.Unmarshal(lines.Bytes(), &ask); err != nil {
			answer.Error = err.Error()
		} else {
			answer = s.answer(ask)
		}
		if err := out.Encode(answer); err != nil {
			return // the asker is gone
		}
	}
}

// checkPeer lets in root and whom the server runs as.
func checkPeer(conn net.Conn) error {
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return errors.New("not a unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return err
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return err
	}
	if credErr != nil {
		return credErr
	}
	if cred.Uid != 0 && int(cred.Uid) != os.Geteuid() {
		return fmt.Errorf("user %d may not", cred.Uid)
	}
	return nil
}

func (s *server) answer(ask request) response {
	var out response
	var err error
	switch {
	case ask.Do == doApply && ask.Rule != nil:
		err = s.apply(ask.ID, *ask.Rule)
	case ask.Do == doHeal:
		r := s.heal(ask.ID)
		out.Receipt = &r
	case ask.Do == doReceipt:
		if a := s.get(ask.ID); a != nil {
			r := a.count.receipt()
			out.Receipt = &r
		}
	case ask.Do == doCalls:
		r := s.calls.receipt()
		out.Receipt = &r
	case s.undo == nil && (ask.Do == doSync || ask.Do == doLosePower):
		err = errors.New("the volume was started without undo")
	case ask.Do == doSync:
		dropCache(s.inodes())
		s.undo.settleAll()
	case ask.Do == doLosePower:
		var loss Loss
		loss, err = s.losePower()
		out.Loss = &loss
	default:
		err = fmt.Errorf("request %q: not understood", ask.Do)
	}
	if err != nil {
		out.Error = err.Error()
	}
	return out
}

// ask sends one request and waits for its answer.
func ask(ctx context.Context, socket string, what request) (response, error) {
	var out response
	path, done, err := socketPath(socket)
	if err != nil {
		return out, err
	}
	defer done()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return out, err
	}
	defer conn.Close()                                                    //nolint:errcheck // answered or failed by then
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(past) }) // fails what waits
	defer stop()
	if err := json.NewEncoder(conn).Encode(what); err != nil {
		return out, asked(ctx, err)
	}
	if err := json.NewDecoder(conn).Decode(&out); err != nil {
		return out, asked(ctx, err)
	}
	if out.Error != "" {
		return out, errors.New(out.Error)
	}
	return out, nil
}

// asked is the error of a request: the context's, if that ended it.
func asked(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// socketPath is a path for a socket that fits into an address (108 bytes), however
// long the path is that it stands for; done ends its life.
func socketPath(path string) (short string, done func(), err error) {
	if len(path) < 100 {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	name := filepath.Base(path)
	if strings.Contains(name, "/") || len(name) > 60 {
		return "", nil, errors.Join(fmt.Errorf("socket %s: name too long", path), dir.Close())
	}
	return procPath(int(dir.Fd())) + "/" + name, func() { _ = dir.Close() }, nil
}
