Feature: Each known mistake of a service is found by its own checker, and a service without one is not accused

  Scenario Outline: A service that makes the mistake "<mistake>" while clients <work>
    Given a cluster:
      | node  | services | env                      |
      | node1 | quorum   | QUORUM_MISTAKE=<mistake> |
      | node2 | quorum   | QUORUM_MISTAKE=<mistake> |
      | node3 | quorum   | QUORUM_MISTAKE=<mistake> |
    And node1 becomes the leader
    When 5 clients <work> continuously
    And I wait 1s
    And node1 is isolated from the other nodes for 2500ms
    And I wait 300ms
    And the clients stop
    Then <verdict>

    Examples:
      | mistake  | work                                        | verdict                         |
      | early    | add to a set                                | an acknowledged write is lost   |
      | split    | increment a counter                         | an acknowledged write is lost   |
      | split    | use a queue                                 | a write appears twice           |
      | split    | append to a list                            | the history is not linearizable |
      | repeats  | append to a list                            | a write appears twice           |
      | compares | take turns on a lock                        | the lock is held twice          |
      | torn     | transfer between 4 accounts                 | the total is not always 1000    |
      | torn     | append to 3 lists                           | the history is not serializable |

  Scenario: A service that forgets at a restart loses what it acknowledged
    Given a cluster:
      | node  | services | env                    |
      | node1 | quorum   | QUORUM_MISTAKE=forgets |
      | node2 | quorum   | QUORUM_MISTAKE=forgets |
      | node3 | quorum   | QUORUM_MISTAKE=forgets |
    When 5 clients add to a set continuously
    And I wait 300ms
    And all nodes are killed
    And the killed nodes are started again
    And all nodes are ready within 5s
    And the clients stop
    Then an acknowledged write is lost

  Scenario: A service that answers reads from what a node holds itself lets them go back in time
    Given a cluster:
      | node  | services | env                  |
      | node1 | quorum   | QUORUM_MISTAKE=stale |
      | node2 | quorum   | QUORUM_MISTAKE=stale |
      | node3 | quorum   | QUORUM_MISTAKE=stale |
    And node1 becomes the leader
    When 5 clients read and write a register to any node continuously
    And packets from the other nodes to node3 are delayed by 100ms for 2s
    And the clients stop
    Then a read goes back in time
    And the history is not linearizable

  Scenario: A service without a mistake passes them all
    Given a 3-node cluster running quorum
    And node1 becomes the leader
    When 2 clients add to a set continuously
    And 2 clients read, write and compare and set 3 registers continuously to any node
    And 2 clients append to a list continuously
    And 2 clients increment a counter continuously
    And 2 clients use a queue continuously
    And 2 clients take turns on a lock continuously
    And 2 clients transfer between 4 accounts continuously
    And 2 clients append to 3 lists continuously
    And node1 is isolated from the other nodes for 1800ms
    And node2 cannot reach node3 for 500ms
    And all nodes are killed
    And the killed nodes are started again
    And a write to all nodes succeeds within 15s
    And the clients stop
    Then the history is linearizable
    And no acknowledged write is lost
    And no write appears twice
    And no read goes back in time
    And the lock is never held twice
    And the total is always 1000
