module hakuban

go 1.26.8
