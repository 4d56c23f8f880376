Feature: Memory and CPU of a node
  Limits and loads act in the node's own control group, on real programs; the kernel's OOM killer does the killing.

  Scenario: A node runs out of memory and is killed by the kernel, alone
    Given a 3-node cluster running etcd
    And "v1" is written to "k" on node1
    When node2 runs out of memory
    Then node2 was killed for lack of memory
    And node2 has exited with code 137
    And node1 and node3 are running
    And a write to node1 succeeds
    When node2 is started again
    Then node2 is ready within 10s
    And a read of "k" from node2 returns "v1"

  Scenario: One service of a node runs out of memory, the other runs on
    Given a 1-node cluster running redis and kv
    When redis on node1 runs out of memory
    Then redis on node1 was killed for lack of memory
    And kv on node1 is running
    When everything heals
    Then redis on node1 is ready within 10s

  Scenario: A limit that a program comes to kill it
    Given a 2-node cluster running kv
    When memory of node2 is limited to 64 MiB
    And I POST "http://node2:8080/eat/256" with ""
    Then the request fails
    And node2 was killed for lack of memory within 10s
    And node1 is running
    When everything heals
    Then node2 is ready within 10s
    When I POST "http://node2:8080/eat/96" with ""
    Then the response status is 200

  Scenario: A limit below what is in use kills at once
    Given a 1-node cluster running redis
    When memory of node1 is limited to 1 MiB
    Then node1 was killed for lack of memory within 2s
    When everything heals
    Then node1 is ready within 10s
