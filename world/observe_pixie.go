package world

import (
	"context"
	"errors"
	"os"

	"brine.test/brine/observe/pixie"
	"brine.test/brine/observe/pxl"
)

// pixieFromEnv reads which Pixie cluster the environment names. The names are chaostoolkit-pixie's, and Pixie's own.
func pixieFromEnv() (pixie.Config, bool) {
	first := func(names ...string) string {
		for _, name := range names {
			if v := os.Getenv(name); v != "" {
				return v
			}
		}
		return ""
	}
	c := pixie.Config{
		ID: first("PIXIE_CLUSTER_ID", "PX_CLUSTER_ID"), APIKey: first("PIXIE_API_KEY", "PX_API_KEY"),
		Address: first("PIXIE_SERVER_URL", "PX_CLOUD_ADDR"), Direct: first("PX_VIZIER_ADDR"), CAFile: first("PX_CA_FILE"),
	}
	return c, c.ID != "" && c.APIKey != ""
}

// onPixie runs scripts on a Pixie cluster.
func (w *World) onPixie(c pixie.Config) func(context.Context, pxl.Script) (*pxl.Result, error) {
	w.suite.rec.AddSecret(c.APIKey)
	return func(ctx context.Context, s pxl.Script) (*pxl.Result, error) { return pixie.Run(ctx, c, s) }
}

// UsePixie makes the scripts that follow run on a Pixie cluster. It must be healthy.
func (w *World) UsePixie(ctx context.Context, id string) error {
	c, _ := pixieFromEnv()
	c.ID = id
	if c.APIKey == "" {
		return errors.New("Pixie cluster " + id + ": the API key is missing\nhint: set PX_API_KEY in the environment")
	}
	run := w.onPixie(c)
	if err := pixie.Health(ctx, c); err != nil {
		return err
	}
	w.sight.mu.Lock()
	defer w.sight.mu.Unlock()
	w.sight.pixie = run
	return nil
}
