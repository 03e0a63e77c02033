# The function of stats.yaml, as on Lithops' page "Execution stats".
def my_function(x):
    return x + 7
