Feature: etcd answers serializable reads with what a member still has
  etcd has two kinds of reads. A linearizable one asks the majority first; a serializable one is answered by the member that
  was asked, from what it holds. A member that is cut off, or that hears late, does not know what it misses.

  Scenario: A member that is cut off answers a serializable read with what was overwritten long ago
    Given a 3-node cluster running etcd
    And "old" is written to "k" on node1
    And a stale read of "k" from node3 returns "old" within 5s
    When node3 is isolated from the other nodes
    And "new" is written to "k" on node1 within 10s
    Then a stale read of "k" from node3 returns "old"
    But a read of "k" from node3 fails

  Scenario: Clients with serializable reads see what is not linearizable, and time go back
    Given a 3-node cluster running etcd
    When node1 becomes the leader
    And 6 clients read and write 2 registers to any node with stale reads continuously
    And packets from the other nodes to node3 are delayed by 100ms for 3s
    And the clients stop
    Then the history is not linearizable
    And a read goes back in time

  Scenario: Clients with linearizable reads do not
    Given a 3-node cluster running etcd
    When 6 clients read and write 2 registers to any node continuously
    And I wait 300ms
    And node3 is isolated from the other nodes for 2s
    And the clients stop
    Then the history is linearizable
    And no read goes back in time
