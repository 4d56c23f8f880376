package client

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestAClaimToLeadHasRaftsTerm(t *testing.T) {
	said := Claim{Self: true, Leader: "node1", Term: 2}
	tests := map[string]struct {
		status int
		body   string
		want   Claim
	}{
		"a new leader before its first entry": {200, `{"memstats": {}, "raft.status": {"id":"1","term":3,"lead":"1","raftState":"StateLeader"}}`, Claim{Self: true, Leader: "node1", Term: 3}},
		"one that stepped down since":         {200, `{"raft.status": {"id":"1","term":3,"lead":"0","raftState":"StateFollower"}}`, Claim{Leader: "node1", Term: 3}},
		"no such variable":                    {200, `{"cmdline": []}`, said},
		"not served":                          {404, `404 page not found`, said},
		"no JSON":                             {200, `hello`, said},
	}
	for name, tt := range tests {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/debug/vars" {
				t.Errorf("%s: asked for %s", name, r.URL.Path)
			}
			w.WriteHeader(tt.status)
			fmt.Fprint(w, tt.body)
		}))
		address := server.Listener.Addr().(*net.TCPAddr)
		e, err := newEtcd(Target{Name: "node1", IP: "127.0.0.1", Port: func(string) (int, error) { return address.Port, nil }})
		if err != nil {
			t.Fatal(err)
		}
		if got := e.settle(context.Background(), said); got != tt.want {
			t.Errorf("%s: expected %+v, got %+v", name, tt.want, got)
		}
		server.Close()
	}
}
