-- Translates a page of Tolt's customers as the gateway does. `/lua/miss/…` bypasses the
-- cache.
local cjson = require "cjson.safe"

local path = ngx.var.uri:sub(#"/lua" + 1)
local is_cached = path:sub(1, 6) ~= "/miss/"
if not is_cached then
    path = path:sub(#"/miss" + 1)
end
local key = path .. "?" .. (ngx.var.args or "")
ngx.header["Content-Type"] = "application/json"

local body = is_cached and ngx.shared.pages:get(key)
if not body then
    local answer = ngx.location.capture("/vendor" .. path, { args = ngx.var.args })
    local page = answer.status == 200 and cjson.decode(answer.body)
    if not page then
        return ngx.exit(502)
    end
    local rows = {}
    for place, row in ipairs(page.data.data) do
        rows[place] = {
            id = "hundred." .. row.id,
            connection = "hundred",
            vendor = "tolt",
            vendor_id = row.id,
            external_id = row.customer_id,
            email = row.email,
            name = row.name,
            status = row.status,
            created_at = row.created_at,
            updated_at = row.updated_at,
            referral = { partner_id = row.partner_id },
        }
    end
    body = cjson.encode({ data = rows, page = { has_more = page.has_more, total = page.total_count } })
    if is_cached then
        ngx.shared.pages:set(key, body, 3600)
    end
end
ngx.header["Content-Length"] = #body
ngx.print(body)
