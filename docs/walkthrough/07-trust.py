# %% [markdown]
# # Can you trust it?
#
# A good figure is where the work begins. This part is about the classes that were overlooked, and about a model that knows when to be silent.

# %% [markdown]
# ## When some classes are rare
#
# Oversampling, undersampling and class weights can help with unequal classes, says the reference, and keeps them for another time. This is the other time.
#
# To try the remedies, we need the illness. If the data are balanced, as `starter` is, we thin two classes out: of love and surprise, a tenth is left. In `emotion`, life has done that already. And because four trainings are coming, 2,000 rows at most are used.

# %%
table = dataset.to_pandas()
if dataset.counts("train").max() < 2 * dataset.counts("train").min():
    rare = table["label"].isin(["love", "surprise"]) & (table["split"] == "train")
    table = table.drop(table[rare].sample(frac=0.9, random_state=42).index)
uneven = el.Dataset.from_pandas(table, split="split")
uneven = uneven.limited(2000, splits=["train"])

# %%
pd.Series(uneven.counts("train"), index=uneven.labels.names, name="rows")

# %% [markdown]
# Validation and test stay as they are. Never balance what you measure with: the world is not balanced either, and you would measure a world that doesn't exist.
#
# **Try this:** thin out the classes of your choice, or keep two percent instead of ten. (In `emotion`, take the `if` away first.) When does a class disappear from the answers altogether?

# %% [markdown]
# ## Three remedies
#
# Each of them makes the small classes count for more. They differ in how.

# %%
for method in ("class-weights", "oversample", "undersample"):
    print(f"{method:<14}", el.balance(uneven.y["train"], len(uneven.labels),
                                     method=method, seed=42))

# %% [markdown]
# - **Class weights**: every row stays, once. A mistake on a rare class costs more.
# - **Oversampling**: rare rows are repeated until all classes are as large as the largest. More rows, more waiting, and the same few texts again and again.
# - **Undersampling**: rows of the large classes are thrown away until all are as small as the smallest. Fast, and it hurts to watch.
#
# **Try this:** there is a remedy between nothing and class weights: `method="root-weights"` takes the square roots of the weights. For whom would that be right?

# %% [markdown]
# ## The remedies, tried
#
# Four short trainings, with one recipe for all: one without a remedy, and one for each.

# %%
tried = {}
for method in ("none", "class-weights", "oversample", "undersample"):
    plan = el.plan_recipe(ENCODER, uneven, "fast", balance=method,
                          epochs=2, batch_size=32)
    trained = el.finetune(ENCODER, uneven, "walkthrough-balance", recipe=plan)
    tried[method] = trained.named(method)

# %%
outcome, remedies = {}, el.evaluate(uneven, list(tried.values()))
for method, of in remedies.by_split["validation"].items():
    outcome[method] = {c: f["recall"] for c, f in of.per_class.items()}
    outcome[method] |= {"accuracy": of.accuracy, "macro-F1": of.macro_f1}
pd.DataFrame(outcome).T.round(2)

# %% [markdown]
# The rows are the remedies, the columns what part of each class was found (*recall*) on validation: we are choosing. In `emotion`, read it like this:
#
# - Without a remedy, 0.76 of love and 0.69 of surprise are found, and 0.93 of joy. The joy addict again.
# - With **class weights**, it's 0.87 of love and 0.84 of surprise. Joy pays: it falls to 0.86. The accuracy hardly moves (0.89 and 0.88), and macro-F1 stays at 0.85: more of the rare classes is found, and more often they are seen where they aren't.
# - **Oversampling** goes the same way, with twice as many rows to read. Its macro-F1 of 0.87 is the highest, but this is one training of each, and 2,000 texts: nothing to bet on.
# - **Undersampling** keeps 432 of the 2,000 rows, and that's too few to learn from: an accuracy of 0.61. Surprise does well (0.88), and everybody else pays for it.
#
# In `starter`, with two classes thinned, it is starker: without a remedy, hardly any love or surprise is found at all. The model has simply stopped saying the words.
#
# With all rows of train and three seeds, [the larger experiment](studies.md#classes-of-unequal-size) says the same in a louder voice: with class weights, recall of surprise goes from 64.6 % to 87.9 %, and the accuracy is 92.7 % instead of 92.5 %. Undersampling costs four points.
#
# So no remedy is free, and none is always right. If a missed surprise is as bad as a missed joy, take class weights. If you want probabilities that fit the world as it is, take nothing. emolens takes nothing, unless you ask.
#
# **Try this:** look at the *precision* of the rare classes, too: replace `recall` in the cell above. What a remedy finds more of, it also cries wolf about more.

# %% [markdown]
# ## Calibration: does 90 % mean 90 %?
#
# The model does not only answer. It also says how probable the answer is. Is that number worth anything? If it is, then of all answers with "0.9", nine of ten are right. That property is called *calibration*.

# %%
y_test, probabilities = part.y["test"], tuned.probabilities["test"]
el.ReliabilityDisplay.from_predictions(y_test, probabilities, labels=part.labels)

# %% [markdown]
# Points on the diagonal: the probability can be taken at its word. Points below it: the model is a show-off. The bars at the bottom show how many texts each point stands for, and the pale points stand for so few that you shouldn't look at them too hard.
#
# In `emotion`, most texts are in the last bin, on the line. From the middle up to three quarters, the points lie a bit low: there, the model is still too sure.
#
# *Still*, because this is the picture after a cure. Freshly trained models tend to be too sure of themselves. The cure is one number, the **temperature**: all scores are divided by it before they become probabilities. Above 1, the model gets more modest; below 1, bolder. Not a single answer changes. It is fitted on validation rows, and it is part of the saved model.

# %%
trust = result.by_split["test"]["finetune"]
print("calibration error before:", trust.before.expected)
print("calibration error after: ", trust.calibration.expected)
print(f"temperature: {tuned.calibration.temperature:.2f}")

# %% [markdown]
# The *calibration error* is the average gap between the probability and the share of right answers. In `emotion`, the temperature is 1.30, so the model was too sure of itself, and the error went from 0.022 to 0.015. The numbers in brackets are 95 % intervals. The second one begins at 0: what is left may be no more than chance.
#
# **Try this:** do the same for the probe: `of_probe.probabilities["test"]`. A weak model can be perfectly calibrated. It knows that it does not know. [More about these figures](calibration.md).

# %% [markdown]
# ## The right to remain silent
#
# Good probabilities allow something better than a good figure: a promise. Answer where you can be relied on, and say "unsure" elsewhere.

# %%
print(trust.promise)
el.CoverageDisplay.from_predictions(y_test, probabilities, labels=part.labels,
                                    promise=trust.promise)

# %% [markdown]
# Read the curve from the right. At 100 % every text gets an answer, and the accuracy is the one we know. Go left, leave out the texts with the lowest probabilities, and the rest gets better and better. The pale band is the 95 % interval: few answers, wide band.
#
# In `emotion`, the promise is 99 %: of 2,000 texts of test, 1,718 got an answer, and 1,708 of these answers are right.
#
# The promise is one point on the curve, the diamond. It was found on validation, and kept (or not) on test: the line above says so. Who asks for more has to accept more silence. That's not a weakness of this model. It's the deal with all of them; the others just don't show you the bill.
#
# **Try this:** what do the unsure texts have in common? Sort test by `probabilities.max(axis=1)` and read the bottom twenty. You will feel some sympathy.
