package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// echoPort gives back what it gets, over TCP and UDP, IPv4 and IPv6.
const echoPort = "8081"

// echo serves until ctx ends.
func echo(ctx context.Context) error {
	listener, err := net.Listen("tcp", ":"+echoPort)
	if err != nil {
		return err
	}
	packets, err := net.ListenPacket("udp", ":"+echoPort)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	context.AfterFunc(ctx, func() {
		_ = listener.Close()
		_ = packets.Close()
	})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn) // until the other end is done
			}()
		}
	}()
	go func() {
		buf := make([]byte, 64<<10)
		for {
			n, from, err := packets.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = packets.WriteTo(buf[:n], from) // lost, as packets are
		}
	}()
	return nil
}

// held are long-lived connections to the echo ports of others, by host.
type held struct {
	mu    sync.Mutex
	conns map[string]net.Conn
	said  uint64
}

// hold opens a connection to a host and keeps it: POST /held/node2, with ?family=6 over IPv6.
func (h *held) hold(w http.ResponseWriter, r *http.Request) {
	dialer := net.Dialer{Timeout: peerTimeout}
	conn, err := dialer.DialContext(r.Context(), "tcp"+r.FormValue("family"), net.JoinHostPort(r.PathValue("host"), echoPort))
	if err != nil {
		fail(w, err)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if old := h.conns[r.PathValue("host")]; old != nil {
		_ = old.Close()
	}
	if h.conns == nil {
		h.conns = map[string]net.Conn{}
	}
	h.conns[r.PathValue("host")] = conn
	fmt.Fprintf(w, "holds %s – %s", conn.LocalAddr(), conn.RemoteAddr())
}

// say sends a word over a held connection and waits for its echo: GET /held/node2?for=300ms.
func (h *held) say(w http.ResponseWriter, r *http.Request) {
	wait, err := time.ParseDuration(r.FormValue("for"))
	if err != nil {
		wait = peerTimeout
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	conn := h.conns[r.PathValue("host")]
	if conn == nil {
		http.Error(w, "no connection is held to "+r.PathValue("host"), http.StatusNotFound)
		return
	}
	h.said++
	began := time.Now()
	if err := h.converse(conn, began.Add(wait)); err != nil {
		status := http.StatusServiceUnavailable
		if errors.Is(err, os.ErrDeadlineExceeded) {
			status = http.StatusGatewayTimeout
		}
		http.Error(w, err.Error(), status)
		return
	}
	fmt.Fprintf(w, "answered after %s", time.Since(began).Round(time.Millisecond))
}

// converse sends the next word and reads until its echo: echoes of words that nobody waited for come first.
func (h *held) converse(conn net.Conn, until time.Time) error {
	if err := conn.SetDeadline(until); err != nil {
		return err
	}
	word := binary.BigEndian.AppendUint64(nil, h.said)
	if _, err := conn.Write(word); err != nil {
		return err
	}
	for {
		if _, err := io.ReadFull(conn, word); err != nil {
			return err
		}
		if binary.BigEndian.Uint64(word) == h.said {
			return nil
		}
	}
}
