Feature: A service that is used by running a program in its container

  Scenario: Reads, writes, comparisons and a workload by a program
    Given the service "store":
      """
      image: "host:/usr/bin/redis-server+/usr/bin/redis-cli"
      args: [--protected-mode, "no", --appendonly, "yes", --dir, /data]
      ports: {client: 6379}
      data: /data
      ready: {tcp: client, within: 10s}
      client:
        write: {exec: [redis-cli, -e, set, "{{.Key}}", "{{.Value}}"]}
        read: {exec: [redis-cli, -e, get, "{{.Key}}"], value: stdout}
        health: {exec: [redis-cli, -e, ping]}
      """
    And a 1-node cluster running store
    When "v 1" is written to "k/é" on node1
    Then a read of "k/é" from node1 returns "v 1"
    When 2 clients add to a set continuously
    And I wait 500ms
    And node1 is killed and started again 1 time
    And a write to node1 succeeds within 5s
    And the clients stop
    Then no acknowledged write is lost
