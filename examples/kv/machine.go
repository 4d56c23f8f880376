package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"time"
)

// tellTime answers with this node's wall clock.
func tellTime(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, map[string]any{"ns": time.Now().UnixNano()})
}

// ahead asks another node for its wall clock, and tells by how many seconds this one's is ahead.
func (n *node) ahead(w http.ResponseWriter, r *http.Request) {
	asked := time.Now()
	resp, err := http.Get("http://" + net.JoinHostPort(r.PathValue("host"), "8080") + "/time")
	if err != nil {
		fail(w, err)
		return
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	var theirs struct {
		NS int64 `json:"ns"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&theirs); err != nil {
		fail(w, err)
		return
	}
	ours := asked.UnixNano() + time.Since(asked).Nanoseconds()/2 // Since goes by the monotonic clock
	answerJSON(w, map[string]any{"seconds": int64(math.Round(time.Duration(ours - theirs.NS).Seconds()))})
}

// count adds so many million numbers up, on one processor.
func count(w http.ResponseWriter, r *http.Request) {
	millions, err := strconv.Atoi(r.PathValue("millions"))
	if err != nil || millions < 0 {
		http.Error(w, "a number of millions is expected", http.StatusBadRequest)
		return
	}
	sum := uint64(1)
	for i := range uint64(millions) * 1_000_000 {
		sum = sum*31 + i
	}
	fmt.Fprintf(w, "counted to %d million: %d", millions, sum)
}
