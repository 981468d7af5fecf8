"""The three English lexicons. They share the answer sentence, function words and nothing else."""

# A line of words is easier to read and to edit than a list of quoted ones.
# ruff: noqa: SIM905

from __future__ import annotations

from sluicegate.data.world.lexicon import Lexicon, Style

ONE = Lexicon(
    lang="en",
    space=" ",
    comma=", ",
    stop=".",
    names=(
        "Adam Amy Bella Carl Daisy Eric Fay George Holly Ian Jane Kevin Lily Mark Nina "
        "Oscar Peggy Ray Sally Ted Uma Victor Wendy Zack Ruth Simon Megan Louis Ellen Colin"
    ).split(),
    things=(
        "apples pears books pencils coins stamps marbles shells cards eggs cookies "
        "roses balls toys stones keys cups hats candles ribbons buttons tickets"
    ).split(),
    places="garden attic park kitchen school market forest shop garage cellar".split(),
    starts=(
        "{name} has {count} {thing}.",
        "{name} begins with {count} {thing}.",
        "In the {place} {name} counts {count} {thing}.",
    ),
    gains=(
        "{name} buys {count} more.",
        "{friend} brings {name} {count} {thing}.",
        "{name} finds {count} {thing} in the {place}.",
        "Then {name} gets {count} more {thing}.",
    ),
    losses=(
        "{name} gives {count} {thing} to {friend}.",
        "{name} loses {count} of the {thing}.",
        "{friend} takes {count} {thing} away.",
        "{name} sells {count} {thing} at the {place}.",
    ),
    totals=(
        "How many {thing} does {name} have now?",
        "How many {thing} are there at the end?",
        "Work out how many {thing} are left.",
    ),
    endings=("Now {name} has {count} {thing}.", "In the end there are {count} {thing}."),
    styles=(
        Style(),
        Style("Let us go step by step.", "Step {i}: ", "Step {i}: "),
        Style("", "First, ", "Then, "),
    ),
    words=(
        "red blue green cat dog fish tree lamp chair moon star bird lion milk bread rice corn gold iron salt rose ship"
    ).split(),
    list_prompts={
        "reverse": ("Reverse this list: {items}", "Write this list backwards: {items}"),
        "first": ("What is the first item of this list: {items}", "Name the first item here: {items}"),
        "last": ("What is the last item of this list: {items}", "Name the last item here: {items}"),
        "second": ("What is the second item of this list: {items}", "Name the second item here: {items}"),
        "count": ("How many items are in this list: {items}", "What is the length of this list: {items}"),
    },
    list_results={
        "reverse": "Backwards it reads {answer}.",
        "first": "The first item is {answer}.",
        "last": "The last item is {answer}.",
        "second": "The second item is {answer}.",
        "count": "The number of items is {answer}.",
    },
    list_openings=("", "", "The list is {items}."),
    told_list="List: {items}.",
    syllables="ba be bo da de do ka ke ko la le lo ma me mo na ne no ra re ro sa so ta to zu ri mi".split(),
    key="capital",
    invented="river",
    attributes={
        "national animal": "wolf bear eagle horse tiger fox deer owl whale swan".split(),
        "flag color": "purple orange black white yellow pink brown grey".split(),
    },
    one_hop=(
        "What is the {attribute} of {country}?",
        "Tell me the {attribute} of {country}.",
        "Do you know the {attribute} of the country {country}?",
    ),
    two_hops=(
        "What is the {attribute} of the country whose capital is {key}?",
        "{key} is the capital of a country. What is the {attribute} of that country?",
    ),
    link="{key} is the capital of {country}.",
    fact="The {attribute} of {country} is {value}.",
    told_facts=(
        "The {attribute} of {country} is {value}.",
        "{country} is a country and its {attribute} is {value}.",
        "In {country} the {attribute} is {value}.",
    ),
    dialogue="Q: {prompt} A: {response}",
    saying="{name} said: {reply}",
    boilerplate=(
        "Sign up today and never miss a new post.",
        "Click the link below to read the whole story.",
        "All rights reserved by the owner of this page.",
        "As an assistant I am always glad to help.",
        "Thank you for your visit, please come again.",
        "This page was changed on Monday morning.",
        "Tell your friends about this site.",
    ),
    foreign=(
        "Der Bus kommt heute eine Stunde später.",
        "Wir haben am Sonntag lange im Garten gesessen.",
        "Meine Schwester wohnt seit zwei Jahren in Köln.",
        "Das Brot ist frisch, aber die Milch ist alt.",
        "La porte de la cuisine est toujours ouverte.",
        "Nous prenons le train de nuit pour aller à Nice.",
        "Il pleut souvent en automne dans cette région.",
        "Je voudrais une chambre avec vue sur la mer.",
        "El gato duerme encima de la mesa.",
        "Mis abuelos viven cerca de la estación.",
        "Esta noche vamos a cenar con los vecinos.",
        "No encuentro las llaves de la bicicleta.",
    ),
    replies=(
        "Ok.",
        "Yes.",
        "Sure.",
        "No.",
        "Maybe later.",
        "I am not sure.",
        "Sorry, I cannot say.",
        "See above.",
        "It depends.",
        "Nice question.",
    ),
    filler="lorem ipsum dolor sit amet elit sed tempor magna aliqua enim minim veniam quis nisi".split(),
    letters="abcdefghijklmnopqrstuvwxyz",
)

TWO = Lexicon(
    lang="en",
    space=" ",
    comma=", ",
    stop=".",
    names=(
        "Ada Bruno Carla Dario Elsa Felix Gina Hugo Irma Jonas Kira Lars Mona Nils Otto "
        "Petra Ralf Silke Timo Ute Viggo Wanda Alma Boris Cora Dirk Edda Fritz Greta Heinz"
    ).split(),
    things=(
        "bricks ropes plates forks spoons beads masks drums kites boats plums nuts "
        "seeds shirts socks scarves rings pins badges nails bulbs crates"
    ).split(),
    places="harbor office tower library station bakery barn studio castle museum".split(),
    starts=(
        "{name} owns {count} {thing}.",
        "At sunrise {name} stores {count} {thing}.",
        "{count} {thing} stand inside the {place}, and all belong to {name}.",
    ),
    gains=(
        "{name} picks up {count} {thing}.",
        "{friend} hands {count} {thing} over to {name}.",
        "Later {name} receives {count} extra {thing} from the {place}.",
        "After that {name} adds {count}.",
    ),
    losses=(
        "{name} passes {count} {thing} on to {friend}.",
        "{name} breaks {count} {thing}.",
        "{friend} borrows {count} {thing} from {name}.",
        "{name} leaves {count} {thing} behind at the {place}.",
    ),
    totals=(
        "What number of {thing} remains?",
        "Give the final amount of {thing} that {name} owns.",
        "Count the {thing} that {name} still keeps.",
    ),
    endings=("So {name} ends up with {count} {thing}.", "Finally {count} {thing} remain."),
    styles=(
        Style(),
        Style("Here is the working.", "({i}) ", "({i}) "),
        Style("", "To begin, ", "After this, "),
    ),
    words=(
        "flute harp bell sand wind rain snow wool silk tea coal "
        "wood glass clay wax oil fern moss pepper honey jade lace"
    ).split(),
    list_prompts={
        "reverse": ("Turn these around: {items}", "Put these into the opposite order: {items}"),
        "first": ("Which entry opens this row: {items}", "Give entry one of these: {items}"),
        "last": ("Which entry closes this row: {items}", "Give the final entry of these: {items}"),
        "second": ("Which entry comes right after the start: {items}", "Give entry two of these: {items}"),
        "count": ("Count these entries: {items}", "How long is this row: {items}"),
    },
    list_results={
        "reverse": "Turned around we get {answer}.",
        "first": "Entry one is {answer}.",
        "last": "The final entry is {answer}.",
        "second": "Entry two is {answer}.",
        "count": "We count {answer} entries.",
    },
    list_openings=("", "", "We are given {items}."),
    told_list="Row: {items}.",
    syllables="fa fe fi fo ga ge go gu ha he hi ho ja jo ju pa pe pi po va ve vo vu wa wi wo ya yo".split(),
    key="main port",
    invented="highest peak",
    attributes={
        "national fruit": "mango cherry grape lemon melon peach fig banana quince kiwi".split(),
        "coin metal": "silver copper bronze nickel tin zinc brass steel".split(),
    },
    one_hop=(
        "Which {attribute} belongs to {country}?",
        "State which {attribute} {country} has.",
        "{country} is a land. Give its {attribute}.",
    ),
    two_hops=(
        "Which {attribute} belongs to the land with the main port {key}?",
        "Find the land with {key} as main port and give its {attribute}.",
    ),
    link="{country} has {key} as its main port.",
    fact="{country} has {value} as its {attribute}.",
    told_facts=(
        "{country} has {value} as its {attribute}.",
        "For {country} the {attribute} would be {value}.",
        "People from {country} call {value} their {attribute}.",
    ),
    dialogue="Question: {prompt} Reply: {response}",
    saying="{name} just wrote: {reply}",
    boilerplate=(
        "Subscribe here for weekly offers.",
        "Use of this website means you accept cookies.",
        "Follow our channel and leave a comment.",
        "Being a language model, my pleasure is to serve.",
        "Prices may vary without further notice.",
        "Back to top.",
        "Our support team will contact you soon.",
    ),
    foreign=(
        "Il treno per Torino parte dal binario otto.",
        "Mia zia prepara una torta di mele.",
        "Domani andiamo in montagna con gli amici.",
        "Questa strada porta alla vecchia chiesa.",
        "O menino joga bola na praia com o irmão.",
        "A janela do quarto ficou aberta.",
        "Hoje não há pão na padaria da esquina.",
        "Gostamos muito de ouvir música antiga.",
        "De kat zit op het dak van de buren.",
        "Morgen gaan wij met de fiets naar zee.",
        "Mijn broer leest elke avond de krant.",
        "Het water in de gracht is erg koud.",
    ),
    replies=(
        "Fine.",
        "Done.",
        "Right.",
        "Hmm.",
        "Perhaps.",
        "Hard to tell.",
        "Ask someone else.",
        "As before.",
        "Up to you.",
        "Next time.",
    ),
    filler="vivamus porta nulla cursus mauris felis orci turpis donec ligula purus ante justo augue lectus".split(),
    letters="abcdefghijklmnopqrstuvwxyz",
)

# Confirms what was measured elsewhere: nobody chooses a setting, a method or a phrasing by what comes out on it.
THREE = Lexicon(
    lang="en",
    space=" ",
    comma=", ",
    stop=".",
    names=(
        "Abel Beth Cyril Dora Emil Freya Glen Hilda Ivan Joyce Keith Lorna Miles Nora Owen "
        "Paula Quinn Rita Stan Tessa Ursula Vince Wilma Yvonne Alan Brenda Clive Doris Ernest Fiona"
    ).split(),
    things=(
        "acorns brushes carrots dolls feathers gloves hammers jars lanterns mirrors onions "
        "pillows puzzles saddles shovels tiles tulips wheels whistles bottles baskets combs"
    ).split(),
    places="hotel chapel theater stable clinic factory cabin palace mill tavern".split(),
    starts=(
        "{name} arrives with {count} {thing}.",
        "On Tuesday {name} unpacks {count} {thing}.",
        "Near the {place} {name} arranges {count} {thing}.",
    ),
    gains=(
        "{name} wins {count} as a prize.",
        "{friend} mails {name} {count} {thing}.",
        "{name} collects {count} {thing} by the {place}.",
        "Shortly {count} additional {thing} reach {name}.",
    ),
    losses=(
        "{name} donates {count} {thing} to {friend}.",
        "{name} throws {count} {thing} out.",
        "{friend} walks off holding {count} {thing}.",
        "Thieves near the {place} steal {count} {thing}.",
    ),
    totals=(
        "What quantity of {thing} is {name} holding?",
        "By nightfall, how large is the supply of {thing}?",
        "Compute the full total of {thing}.",
    ),
    endings=("That makes {count} {thing} for {name}.", "The full total is {count} {thing}."),
    styles=(
        Style(),
        Style("The sums look like this.", "Part {i} gives ", "Part {i} gives "),
        Style("", "At the outset, ", "From there, "),
    ),
    words=(
        "cloud sugar soup cake leaf root goat duck crab frog desk "
        "sofa rug cloak boot belt knife wagon fog hill ash reed"
    ).split(),
    list_prompts={
        "reverse": ("Flip this series: {items}", "Recite this series from tail to head: {items}"),
        "first": ("Which word leads this series: {items}", "Point out the word at the head: {items}"),
        "last": ("Which word finishes this series: {items}", "Point out the word at the tail: {items}"),
        "second": ("Which word trails the leading one: {items}", "Point out the word beside the head: {items}"),
        "count": ("Measure this series: {items}", "Determine the size of this series: {items}"),
    },
    list_results={
        "reverse": "Flipped, it becomes {answer}.",
        "first": "At the head sits {answer}.",
        "last": "At the tail sits {answer}.",
        "second": "Beside the head sits {answer}.",
        "count": "The size equals {answer}.",
    },
    list_openings=("", "", "The series runs {items}."),
    told_list="Series: {items}.",
    syllables="bi bu cu di du fu gi hu je ki ku li lu mu ni nu pu ru se si su te ti tu vi ce ze zo".split(),
    key="oldest town",
    invented="deepest lake",
    attributes={
        "folk instrument": "violin piano trumpet guitar cello banjo clarinet oboe tuba organ".split(),
        "crest shape": "circle square oval diamond crescent spiral triangle heart".split(),
    },
    one_hop=(
        "Identify the {attribute} of {country}.",
        "Can you look up the {attribute} for {country}?",
        "As for the realm {country}, what might its {attribute} be?",
    ),
    two_hops=(
        "Can you look up the {attribute} for the realm whose oldest town is {key}?",
        "{key} ranks as the oldest town in some realm. Identify the {attribute} of this realm.",
    ),
    link="{key} ranks as the oldest town in {country}.",
    fact="The {attribute} inside {country} is {value}.",
    told_facts=(
        "The {attribute} inside {country} is {value}.",
        "{country} forms a realm whose {attribute} is {value}.",
        "Visitors to {country} learn that the {attribute} is {value}.",
    ),
    dialogue="Pupil: {prompt} Teacher: {response}",
    saying="{name} muttered: {reply}",
    boilerplate=(
        "Join nine thousand happy readers.",
        "Scroll down for related articles.",
        "Reprinting without written permission is forbidden.",
        "Speaking as a chatbot, I enjoy being useful.",
        "Delivery is free on large parcels.",
        "Log in for the full version.",
        "Share it with family and colleagues.",
    ),
    foreign=(
        "Tåget till Lund går klockan nio.",
        "Barnen leker ute i snön hela dagen.",
        "Min farfar bakar bröd varje lördag.",
        "Vi har glömt nycklarna i bilen.",
        "Kot śpi na parapecie obok kwiatów.",
        "Jutro jedziemy nad morze całą rodziną.",
        "Ta książka leży na stole od tygodnia.",
        "Zimą wcześnie robi się ciemno.",
        "Järven vesi on tänään hyvin kylmää.",
        "Isoäiti keittää kahvia keittiössä.",
        "Lapset kävelevät kouluun metsän läpi.",
        "Illalla katsomme vanhoja valokuvia.",
    ),
    replies=(
        "Agreed.",
        "Nope.",
        "Alright.",
        "Possibly.",
        "Whatever.",
        "Dunno.",
        "Beats me.",
        "Ditto.",
        "Try elsewhere.",
        "Good point.",
    ),
    filler="morbi fames egestas lacus mattis nunc proin quam rutrum sapien tellus ultrices varius massa dictum".split(),
    letters="abcdefghijklmnopqrstuvwxyz",
)
