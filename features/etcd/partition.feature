Feature: etcd serves on while a part of it is cut off

  Scenario: A write succeeds while another node is isolated
    Given a 3-node cluster running etcd
    When node2 is isolated
    Then a write to node1 succeeds

  Scenario: A write succeeds when the isolated node was the leader
    Given a 3-node cluster running etcd
    And node2 becomes the leader
    When node2 is isolated
    Then a write to node1 succeeds
    And the leader is one of node1 and node3

  Scenario: An isolated node answers nobody
    Given a 3-node cluster running etcd
    When node2 is isolated
    Then a write to node2 times out
    And a stale read of "k" from node3 returns nothing

  Scenario: What was written meanwhile is there when the node is back
    Given a 3-node cluster running etcd
    When node2 is isolated
    And "v1" is written to "k" on node1 within 10s
    And node2 rejoins
    Then a read of "k" from node2 returns "v1" within 10s
    And node2 has caught up with the leader within 10s
    And all nodes agree on "k"
    And the cluster is healthy within 10s

  Scenario: An isolation may be given a length
    Given a 3-node cluster running etcd
    When node2 is isolated for the next 2s
    Then a write to node1 succeeds
    And node2 is ready within 10s

  Scenario: One way alone is cut
    Given a 3-node cluster running etcd
    And node1 becomes the leader
    When node1 cannot reach node2
    Then a write to node1 succeeds
    And a write to node3 succeeds
    And there is exactly one leader
    When the link between node1 and node2 heals
    Then a write to node2 succeeds within 10s

  Scenario: An availability zone is lost
    Given a 3-node cluster running etcd
    And zone az1 has node1 and node2
    And zone az2 has node3
    When zone az2 is isolated
    Then a write to node1 succeeds within 10s
    And a read from node3 times out
    When the network heals
    Then all nodes are ready within 10s

  Scenario: The leader is left with the smaller part
    Given a 5-node cluster running etcd
    And the leader is remembered as "L"
    When the network is split with the leader in the minority
    Then the leader has changed within 10s
    And a write to the leader succeeds
    And a write to L fails
    When the network heals
    Then there is exactly one leader within 10s
    And a write to L succeeds within 10s

  Scenario: An isolated leader gives only stale reads
    Given a 3-node cluster running etcd
    And node1 becomes the leader
    And "v1" is written to "k" on node1
    When node1 is isolated from the other nodes
    And "v2" is written to "k" on node2 within 10s
    Then a stale read of "k" from node1 returns "v1"
    And a read from node1 fails
    When node1 rejoins
    Then a read of "k" from node1 returns "v2" within 10s
