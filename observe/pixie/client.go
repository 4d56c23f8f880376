package pixie

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"brine.test/brine/observe/pixie/vizierpb"
	"brine.test/brine/observe/pxl"
)

// Config says which cluster.
type Config struct {
	ID      string // of the cluster, a UUID
	APIKey  string
	Address string        // of the cloud, host[:443]; "" is Pixie's own
	Direct  string        // of the cluster itself, host:port; then the cloud is not asked
	CAFile  string        // of certificates to trust besides the machine's
	Timeout time.Duration // of a script; 0: 60 s
}

const (
	cloud          = "work.withpixie.ai:443"
	defaultTimeout = 60 * time.Second
	healthTimeout  = 15 * time.Second
	maxMessage     = 64 << 20
)

func (c Config) address() string {
	a := c.Address
	if c.Direct != "" {
		a = c.Direct
	}
	if a == "" {
		a = cloud
	}
	_, after, ok := strings.Cut(a, "://")
	if ok {
		a = strings.TrimSuffix(after, "/")
	}
	if !strings.Contains(a[strings.LastIndexByte(a, ']')+1:], ":") {
		a += ":443"
	}
	return a
}

func (c Config) connect() (*grpc.ClientConn, error) {
	tlsConfig := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("certificates to trust: %w", err)
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: holds no certificate", c.CAFile)
		}
		tlsConfig.RootCAs = pool
	}
	return grpc.NewClient(c.address(), grpc.WithTransportCredentials(credentials.NewTLS(tlsConfig)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
}

// authorized puts the key where Pixie looks for it.
func (c Config) authorized(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "pixie-api-key", c.APIKey, "pixie-api-client", "brine")
}

// Health tells whether the cluster can be reached and says that it is healthy.
func Health(ctx context.Context, c Config) error {
	conn, err := c.connect()
	if err != nil {
		return c.explain(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(c.authorized(ctx), healthTimeout)
	defer cancel()
	stream, err := vizierpb.NewVizierServiceClient(conn).HealthCheck(ctx, &vizierpb.HealthCheckRequest{ClusterId: c.ID})
	if err != nil {
		return c.explain(err)
	}
	answer, err := stream.Recv()
	if err != nil {
		return c.explain(err)
	}
	if s := answer.GetStatus(); s.GetCode() != 0 {
		return fmt.Errorf("Pixie cluster %s: is not healthy: %s", c.ID, s.GetMessage())
	}
	return nil
}

// Run runs a script and gives its tables when all of them have ended.
func Run(ctx context.Context, c Config, s pxl.Script) (*pxl.Result, error) {
	conn, err := c.connect()
	if err != nil {
		return nil, c.explain(err)
	}
	defer conn.Close()
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(c.authorized(ctx), c.Timeout)
	defer cancel()
	stream, err := vizierpb.NewVizierServiceClient(conn).ExecuteScript(ctx, request(c, s))
	if err != nil {
		return nil, c.explain(err)
	}
	got := newTables()
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return got.result()
		}
		if err != nil {
			return nil, c.explain(err)
		}
		if err := scriptError(s, answer.GetStatus()); err != nil {
			return nil, err
		}
		if err := got.take(answer); err != nil {
			return nil, fmt.Errorf("Pixie cluster %s: %w", c.ID, err)
		}
	}
}

func request(c Config, s pxl.Script) *vizierpb.ExecuteScriptRequest {
	r := &vizierpb.ExecuteScriptRequest{QueryStr: s.Source, ClusterId: c.ID}
	for _, call := range s.Calls {
		f := &vizierpb.ExecuteScriptRequest_Call{FuncName: call.Func, OutputTablePrefix: call.Output}
		for _, name := range slices.Sorted(maps.Keys(call.Args)) {
			f.ArgValues = append(f.ArgValues, &vizierpb.ExecuteScriptRequest_Argument{Name: name, Value: call.Args[name]})
		}
		r.ExecFuncs = append(r.ExecFuncs, f)
	}
	return r
}

// scriptError is what the cluster has against the script, with the line where it says one.
func scriptError(s pxl.Script, st *vizierpb.Status) error {
	if st.GetCode() == 0 {
		return nil
	}
	name := s.Name
	if name == "" {
		name = "script"
	}
	for _, d := range st.GetErrorDetails() {
		if e := d.GetCompilerError(); e != nil {
			return &pxl.Error{Script: name, Line: int(e.GetLine()), Col: int(e.GetColumn()), Msg: e.GetMessage()}
		}
	}
	return fmt.Errorf("%s: the Pixie cluster refused it: %s (%s)", name, st.GetMessage(), codes.Code(st.GetCode()))
}

// explain says what a person can do about a call that failed.
func (c Config) explain(err error) error {
	hint := ""
	switch status.Code(err) {
	case codes.Unauthenticated, codes.PermissionDenied:
		hint = "the API key is wrong, or not for this cluster: see PX_API_KEY"
	case codes.NotFound, codes.InvalidArgument:
		hint = "is the cluster's id right?"
	case codes.Unavailable:
		hint = "is " + c.address() + " reachable from here, and the cluster connected?"
	case codes.DeadlineExceeded:
		hint = "the script took too long, or the cluster does not answer"
	case codes.Canceled:
		return fmt.Errorf("Pixie cluster %s: %w", c.ID, err)
	}
	err = fmt.Errorf("Pixie cluster %s at %s: %w", c.ID, c.address(), err)
	if hint != "" {
		err = fmt.Errorf("%w\nhint: %s", err, hint)
	}
	return err
}
