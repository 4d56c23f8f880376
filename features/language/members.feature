Feature: Members and versions

  Scenario: A node leaves
    Given a 3-node cluster running kv
    When node3 leaves
    Then a write to all nodes succeeds
    And the cluster is healthy

  Scenario: A node is replaced by an empty one
    Given a 3-node cluster running kv
    And "v1" is written to "k" on node1
    And node3 has caught up with the leader within 5s
    When node3 is replaced by an empty node
    Then node3 is ready within 5s
    And a stale read of "k" from node3 returns "v1" within 5s
