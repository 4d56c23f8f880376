Feature: A service of which two nodes may lead at once

  Scenario: What is appended stays in one order
    Given a cluster:
      | node  | services | env                  |
      | node1 | quorum   | QUORUM_MISTAKE=split |
      | node2 | quorum   | QUORUM_MISTAKE=split |
      | node3 | quorum   | QUORUM_MISTAKE=split |
    And node1 becomes the leader
    When 5 clients append to a list continuously
    And random faults strike for 10s:
      | fault     | weight | min    | max |
      | partition | 1      | 1500ms | 2s  |
      | pause     | 2      | 200ms  | 1s  |
      | delay     | 2      |        |     |
      | loss      | 2      |        |     |
    And the clients stop
    Then the history is linearizable

  Scenario: Nothing strikes
    Given a 3-node cluster running quorum
