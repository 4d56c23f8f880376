Feature: etcd's members come, go and change

  Scenario: A fourth member joins and leaves
    Given a 3-node cluster running etcd
    And "v1" is written to "k" on node1
    When node4 joins, running etcd
    Then a read of "k" from node4 returns "v1" within 10s
    When node4 leaves
    Then a write to all nodes succeeds
    And the cluster is healthy within 10s

  Scenario: A member is replaced by an empty one
    Given a 3-node cluster running etcd
    And "v1" is written to "k" on node1
    When node2 is replaced by an empty node
    Then a stale read of "k" from node2 returns "v1" within 10s

  Scenario: A majority is lost, and comes back
    Given a 3-node cluster running etcd
    And "v1" is written to "k" on node1
    When node2 and node3 are killed
    Then a write to node1 fails
    When the killed nodes are started again
    Then a write to node1 succeeds within 20s
    And a read of "k" from node2 returns "v1" within 10s

  Scenario: The nodes are upgraded without a loss
    Given a 3-node cluster running etcd 3.5.21
    And "v1" is written to "k" on node1
    When the nodes are upgraded to etcd 3.6.8 one by one
    Then every node returns "v1" for "k" within 10s
    When I run "etcdctl version" on node1
    Then its output contains "3.6.8"
