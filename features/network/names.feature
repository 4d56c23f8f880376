@alone
Feature: Names do not resolve, or slowly

  Background:
    Given a 2-node cluster running kv

  Scenario: They fail on one node
    When name resolution fails on node1
    And I run "/kv lookup node2" on node1
    Then the command fails
    And its error output contains "server misbehaving"
    When I run "/kv lookup node1" on node2
    Then the command succeeds
    When I GET "http://node2:8080/healthz"
    Then the response status is 200
    When the network heals
    And I run "/kv lookup node2" on node1
    Then its output contains "node2 is"

  Scenario: They are slow
    When name resolution is slow by 300ms on all nodes for the next 2s
    And I run "/kv lookup node2" on node1
    Then its output matches "after [3-5][0-9][0-9] ms"
    When I run "/kv lookup node2" on node1 within 5s
    Then the command succeeds
