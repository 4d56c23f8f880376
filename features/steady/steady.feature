@alone
Feature: The consumer service stays fast

  What nobody sent from the test is seen as well: HTTP is read off the wire.

  Background:
    Given a cluster:
      | node     | services |
      | consumer | consumer |
      | producer | producer |

  Scenario: 10 requests per second, and a steady state that holds
    When 10 requests per second are sent to "http://consumer:8080/" continuously
    And I wait 3s
    Given the steady state "stays fast":
      """
      the p99 latency of HTTP requests to consumer over the last 2m is below 300ms
      the error rate of HTTP requests to consumer over the last 2m is below 1%
      the throughput of HTTP requests to consumer is above 8 requests per second
      """
    When packets from consumer to producer are delayed by 20ms for 3s
    Then the steady state holds
    And the max latency of HTTP requests to producer from consumer is above 20ms
    And the p99 latency of HTTP requests to producer from consumer is above 20ms while packets from consumer to producer were delayed

  Scenario: A PxL script judges what was seen
    When 20 requests per second are sent to "http://consumer:8080/" for 11s
    And I run the PxL script "latency.py"
    Then the 99th percentile of column "latency_p99" in milliseconds is below 300
    And the median of column "throughput" is above 0
    When I run the PxL script:
      """
      import px
      df = px.DataFrame(table='http_events', start_time='-1m')
      df.to = df.ctx['service']
      df.ended = df.resp_status >= 100
      df = df[df.trace_role == 2]
      px.display(df.groupby('to').agg(n=('ended', px.sum)), 'requests')
      """
    Then the median of column "n" in table "requests" is at least 220

  Scenario: Errors and lost requests are counted
    When 20 requests per second are sent to "http://consumer:8080/fail" for 2s
    Then the error rate of HTTP requests to consumer on path "/fail" is above 99%
    When 20 requests per second are sent to "http://consumer:8080/?x=1" for the next 6s
    And I wait 1s
    And producer is isolated for 2s
    Then the error rate of HTTP requests to consumer on path "/" is below 80%
    And the max latency of HTTP requests to consumer on path "/" is above 500ms
    And the max latency of HTTP requests to consumer and producer from the clients and consumer is above 500ms
    And the max latency of HTTP requests to consumer is above 500ms while producer was isolated
