-- A wrk script. With BENCH_UNIQUE, every request has a unique target: the
-- variable's text and a number that counts up from BENCH_FIRST. Without it, wrk
-- repeats the same request. Prints the RESULT line that bench/run parses.
local head = os.getenv("BENCH_UNIQUE")
local n = tonumber(os.getenv("BENCH_FIRST") or 0)
local tail

-- wrk looks up `request` when the script is loaded.
if head then
    function request()
        if not tail then
            tail = " HTTP/1.1\r\n"
            for name, value in pairs(wrk.headers) do
                tail = tail .. name .. ": " .. value .. "\r\n"
            end
            tail = tail .. "\r\n"
        end
        n = n + 1
        return "GET " .. head .. string.format("%.0f", n) .. tail
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        "RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
