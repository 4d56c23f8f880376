package client

import (
	"context"
	"fmt"

	goredis "github.com/redis/go-redis/v9"
)

var _ Transactor = (*redis)(nil)

// changeAll compares and sets several keys in one script, which Redis runs at one instant.
var changeAll = goredis.NewScript(`for i, key in ipairs(KEYS) do
  if redis.call('GET', key) ~= ARGV[2*i-1] then return key end
end
for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[2*i]) end
return {ok='SET'}`)

// ReadAll reads keys with one MGET.
func (r *redis) ReadAll(ctx context.Context, keys []string) (map[string]string, Result) {
	values := make(map[string]string, len(keys))
	result := r.attempt(ctx, Read, func(ctx context.Context, c *goredis.Client) error {
		all, err := c.MGet(ctx, keys...).Result()
		for i, v := range all {
			if text, ok := v.(string); ok {
				values[keys[i]] = text
			}
		}
		return err
	})
	return values, result
}

// ChangeAll compares and sets in one script.
func (r *redis) ChangeAll(ctx context.Context, changes []Change) Result {
	var keys []string
	var values []any
	for _, one := range changes {
		keys, values = append(keys, one.Key), append(values, one.Expect, one.Value)
	}
	return r.attempt(ctx, CAS, func(ctx context.Context, c *goredis.Client) error {
		answer, err := changeAll.Eval(ctx, c, keys, values...).Text()
		if err == nil && answer != "SET" {
			return fmt.Errorf("%w under %q", ErrConflict, answer)
		}
		return err
	})
}
