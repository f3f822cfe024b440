// docs:generate
progenitor::generate_api!(spec = "customer-gateway-3.0.json", interface = Builder);
// docs:end
