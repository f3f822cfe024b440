module customers

go 1.27
