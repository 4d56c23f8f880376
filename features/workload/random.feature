Feature: Random faults find what a service gets wrong

  Scenario: A service of which two nodes may lead at once is found out by random faults
    Given a cluster:
      | node  | services | env                  |
      | node1 | quorum   | QUORUM_MISTAKE=split |
      | node2 | quorum   | QUORUM_MISTAKE=split |
      | node3 | quorum   | QUORUM_MISTAKE=split |
    And node1 becomes the leader
    When 5 clients append to a list continuously
    And random faults strike for 8s with seed 4:
      | fault     | weight | min    | max |
      | partition | 3      | 1500ms | 2s  |
      | pause     | 1      |        |     |
    And the clients stop
    Then the history is not linearizable
