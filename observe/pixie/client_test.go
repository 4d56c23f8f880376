package pixie

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"brine.test/brine/observe/pixie/vizierpb"
	"brine.test/brine/observe/pxl"
)

const (
	key     = "px-api-good"
	cluster = "11111111-2222-3333-4444-555555555555"
)

// vizier is a server of the API that knows a few scripts.
type vizier struct {
	vizierpb.UnimplementedVizierServiceServer
	sick bool
}

func allowed(ctx context.Context, id string) error {
	md, _ := metadata.FromIncomingContext(ctx)
	if got := md.Get("pixie-api-key"); len(got) != 1 || got[0] != key || len(md.Get("pixie-api-client")) != 1 {
		return status.Error(codes.Unauthenticated, "invalid API key")
	}
	if id != cluster {
		return status.Error(codes.NotFound, "no such cluster")
	}
	return nil
}

func (v *vizier) HealthCheck(r *vizierpb.HealthCheckRequest, s grpc.ServerStreamingServer[vizierpb.HealthCheckResponse]) error {
	if err := allowed(s.Context(), r.GetClusterId()); err != nil {
		return err
	}
	st := &vizierpb.Status{}
	if v.sick {
		st.Code, st.Message = int32(codes.Unavailable), "pem is missing"
	}
	if err := s.Send(&vizierpb.HealthCheckResponse{Status: st}); err != nil {
		return err
	}
	<-s.Context().Done() // the real one goes on for as long as it is listened to
	return nil
}

func (v *vizier) ExecuteScript(r *vizierpb.ExecuteScriptRequest, s grpc.ServerStreamingServer[vizierpb.ExecuteScriptResponse]) error {
	if err := allowed(s.Context(), r.GetClusterId()); err != nil {
		return err
	}
	meta := &vizierpb.QueryMetadata{Name: "output", Id: "t1", Relation: &vizierpb.Relation{Columns: []*vizierpb.Relation_ColumnInfo{
		{ColumnName: "time_", ColumnType: vizierpb.DataType_TIME64NS}, {ColumnName: "upid", ColumnType: vizierpb.DataType_UINT128},
		{ColumnName: "service", ColumnType: vizierpb.DataType_STRING}, {ColumnName: "latency_p99", ColumnType: vizierpb.DataType_FLOAT64},
		{ColumnName: "n", ColumnType: vizierpb.DataType_INT64}, {ColumnName: "ok", ColumnType: vizierpb.DataType_BOOLEAN},
	}}}
	batch := func(eos bool, values ...int64) *vizierpb.ExecuteScriptResponse {
		b := &vizierpb.RowBatchData{TableId: "t1", NumRows: int64(len(values)), Eos: eos}
		times, ints := &vizierpb.Time64NSColumn{}, &vizierpb.Int64Column{}
		ids, texts := &vizierpb.UInt128Column{}, &vizierpb.StringColumn{}
		floats, bools := &vizierpb.Float64Column{}, &vizierpb.BooleanColumn{}
		for _, n := range values {
			times.Data, ints.Data = append(times.Data, n*1e9), append(ints.Data, n)
			ids.Data = append(ids.Data, &vizierpb.UInt128{High: 1, Low: uint64(n)})
			texts.Data = append(texts.Data, []byte("default/consumer"))
			floats.Data, bools.Data = append(floats.Data, float64(n)), append(bools.Data, true)
		}
		b.Cols = append(b.Cols, []*vizierpb.Column{
			{ColData: &vizierpb.Column_Time64NsData{Time64NsData: times}}, {ColData: &vizierpb.Column_Uint128Data{Uint128Data: ids}},
			{ColData: &vizierpb.Column_StringData{StringData: texts}}, {ColData: &vizierpb.Column_Float64Data{Float64Data: floats}},
			{ColData: &vizierpb.Column_Int64Data{Int64Data: ints}}, {ColData: &vizierpb.Column_BooleanData{BooleanData: bools}},
		}...)
		return &vizierpb.ExecuteScriptResponse{Result: &vizierpb.ExecuteScriptResponse_Data{Data: &vizierpb.QueryData{Batch: b}}}
	}
	described := &vizierpb.ExecuteScriptResponse{Result: &vizierpb.ExecuteScriptResponse_MetaData{MetaData: meta}}
	answers := map[string][]*vizierpb.ExecuteScriptResponse{
		"good":   {described, batch(false, 1, 2), batch(false, 3), batch(true)},
		"broken": {described, batch(false, 1)},
		"wrong": {{Status: &vizierpb.Status{Code: int32(codes.InvalidArgument), Message: "compile error", ErrorDetails: []*vizierpb.ErrorDetails{
			{Error: &vizierpb.ErrorDetails_CompilerError{CompilerError: &vizierpb.CompilerError{Line: 3, Column: 7, Message: "name 'dff' is not defined"}}},
		}}}},
		"refused": {{Status: &vizierpb.Status{Code: int32(codes.Internal), Message: "out of memory"}}},
		"early":   {batch(true, 1)},
	}
	for _, a := range answers[r.GetQueryStr()] {
		if err := s.Send(a); err != nil {
			return err
		}
	}
	if r.GetQueryStr() == "slow" {
		<-s.Context().Done()
	}
	return nil
}

// serve gives the address of a server over TLS, and the file of its certificate.
func serve(t *testing.T, v *vizier) Config {
	t.Helper()
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &priv.PublicKey, priv)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&tls.Certificate{Certificate: [][]byte{der}, PrivateKey: priv})))
	vizierpb.RegisterVizierServiceServer(s, v)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return Config{ID: cluster, APIKey: key, Address: l.Addr().String(), CAFile: file}
}

func TestAScriptsTablesCome(t *testing.T) {
	c := serve(t, &vizier{})
	direct := c
	direct.Direct, direct.Address = c.Address, "nowhere.invalid"
	for _, c := range []Config{c, direct} {
		if err := Health(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		got, err := Run(t.Context(), c, pxl.Script{Source: "good"})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := got.Table("")
		if err != nil {
			t.Fatal(err)
		}
		if rows.Rows() != 3 || rows.Column("latency_p99").Floats[2] != 3 || rows.Column("time_").Ints[1] != 2e9 ||
			rows.Column("upid").Strings[0] != "00000000-0000-0001-0000-000000000001" || rows.Column("service").Strings[0] != "default/consumer" {
			t.Errorf("%+v", rows.Columns)
		}
	}
}

func TestWhatGoesWrongIsTold(t *testing.T) {
	good := serve(t, &vizier{})
	for name, test := range map[string]struct {
		source string
		change func(*Config)
		want   []string
	}{
		"bad key":         {"good", func(c *Config) { c.APIKey = "px-api-bad" }, []string{"invalid API key", "hint: the API key is wrong"}},
		"unknown cluster": {"good", func(c *Config) { c.ID = "x" }, []string{"no such cluster", "hint: is the cluster's id right?"}},
		"script's error":  {"wrong", nil, []string{"latency.py:3:7: name 'dff' is not defined"}},
		"cluster's error": {"refused", nil, []string{"out of memory (Internal)"}},
		"broken off":      {"broken", nil, []string{"table output: the stream broke off"}},
		"not described":   {"early", nil, []string{`rows of a table "t1" that was not described`}},
		"too slow":        {"slow", func(c *Config) { c.Timeout = 200 * time.Millisecond }, []string{"hint: the script took too long"}},
		"unknown issuer":  {"good", func(c *Config) { c.CAFile = "" }, []string{"certificate", "hint: is 127.0.0.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			if test.change != nil {
				test.change(&c)
			}
			_, err := Run(t.Context(), c, pxl.Script{Name: "latency.py", Source: test.source})
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q in it", err, want)
				}
			}
			if err != nil && strings.Contains(err.Error(), c.APIKey) {
				t.Errorf("the key is in %v", err)
			}
		})
	}
	var e *pxl.Error
	if _, err := Run(t.Context(), good, pxl.Script{Name: "latency.py", Source: "wrong"}); !errors.As(err, &e) || e.Line != 3 {
		t.Error(err)
	}
	if err := Health(t.Context(), serve(t, &vizier{sick: true})); err == nil || !strings.Contains(err.Error(), "is not healthy: pem is missing") {
		t.Error(err)
	}
}

func TestAddresses(t *testing.T) {
	for in, want := range map[Config]string{
		{}:                               "work.withpixie.ai:443",
		{Address: "getcosmic.ai"}:        "getcosmic.ai:443",
		{Address: "https://x.example/"}:  "x.example:443",
		{Address: "[::1]"}:               "[::1]:443",
		{Address: "a", Direct: "b:1234"}: "b:1234",
	} {
		if got := in.address(); got != want {
			t.Errorf("%+v: %s, want %s", in, got, want)
		}
	}
}
